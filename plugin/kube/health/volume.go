package health

import (
	"cmp"
	"regexp"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// provisionGrace is how long the provisioner of a volume is given before it is said that
// there is none yet: EBS takes a few seconds.
const provisionGrace = 30 * time.Second

// Volume judges a PersistentVolumeClaim. Pending is normal while no pod
// uses it: most classes bind only then (WaitForFirstConsumer). events are those about it,
// the newest first, as far as they are known.
func Volume(obj *unstructured.Unstructured, events []Event, in Around) State {
	return judgeVolume(obj, events, in).plainly()
}

func judgeVolume(obj *unstructured.Unstructured, events []Event, in Around) State {
	ns, name := obj.GetNamespace(), obj.GetName()
	switch phase := Text(obj.Object, "status", "phase"); {
	case obj.GetDeletionTimestamp() != nil:
		return deleted()
	case phase == "Bound":
		return State{Text: "bound", Ready: true}
	case phase == "Lost":
		return Failing(State{
			Text: "its volume is lost: " + Text(obj.Object, "spec", "volumeName") + " is not there any more",
			Hint: "restore the volume, or give its data up and install again:\n" + advice.Command("oc delete pvc", name, "-n", ns) + "\n" + in.again(),
		})
	}
	class, classed, _ := unstructured.NestedString(obj.Object, "spec", "storageClassName")
	if !classed && Text(obj.Object, "spec", "volumeName") == "" {
		// A class that becomes the default later is given to old claims, too.
		return Graced(State{
			Text: "it has no storage class, and the cluster has no default one",
			Hint: "oc get storageclass; choose one with --set storage.storageClassName=NAME, or ask an admin for a default",
		}, deniedGrace)
	}
	if event, ok := complaint(events); ok {
		return unprovisioned(obj, event)
	}
	notes := obj.GetAnnotations()
	node := notes["volume.kubernetes.io/selected-node"]
	provisioner := cmp.Or(notes["volume.kubernetes.io/storage-provisioner"], notes["volume.beta.kubernetes.io/storage-provisioner"])
	switch {
	case node != "":
		return provisioning(obj, "being made on "+node, provisioner, events)
	case provisioner != "":
		return provisioning(obj, "being made", provisioner, events)
	}
	if class != "" {
		class = " (class " + class + ")"
	}
	return State{Text: "waiting for its first pod" + class}
}

// complaint is the last thing that a provisioner, or the controller for volumes, complained
// of (pkg/controller/volume/events of Kubernetes, external-provisioner).
func complaint(events []Event) (Event, bool) {
	for _, event := range events {
		switch {
		case event.Reason == "ProvisioningSucceeded":
			return Event{}, false
		case event.Warning, event.Reason == "FailedBinding":
			return event, true
		}
	}
	return Event{}, false
}

// unprovisioned is the State of a claim whose provisioner complains. It tries again; what
// it cannot find by name it will not find.
func unprovisioned(obj *unstructured.Unstructured, event Event) State {
	s := State{
		Level: Warn, Code: "complaint: " + event.Reason,
		Text: "no volume yet: " + plain.Said(event.Reason+": "+event.Message),
		Hint: describeClaim(obj) + " shows all that was reported; it is tried again",
	}
	switch {
	case regexp.MustCompile(`storageclass\S* "[^"]*" not found`).MatchString(event.Message):
		s.Hint = "oc get storageclass; choose one with --set storage.storageClassName=NAME"
		return Graced(s, noStatusGrace)
	case awserr.StaysIn(event.Message):
		decided := awserr.DecidedIn(event.Message, "the driver of the volumes")
		s.Text, s.Hint = "no volume: "+decided.Why+" ("+plain.Said(event.Reason+": "+event.Message)+")", decided.Next
		return Failing(s)
	}
	return s
}

// provisioning is the State of a claim that a provisioner is to work on. One that does not
// exist says nothing; the claim names it, and so does the controller for volumes.
func provisioning(obj *unstructured.Unstructured, text, provisioner string, events []Event) State {
	late := State{
		Level: Warn, Text: "no volume after " + provisionGrace.String() + ": nobody has provisioned it",
		Hint: describeClaim(obj) + "; " + advice.Command("oc get csidrivers") + " shows the drivers that the cluster has; or choose another class with --set storage.storageClassName=NAME",
	}
	if provisioner != "" {
		late.Text = "no volume after " + provisionGrace.String() + ": waiting for the provisioner " + provisioner + ": is it installed, and does it run?"
	}
	if len(events) > 0 && events[0].Reason == "ExternalProvisioning" {
		late.Text += " (" + plain.Said(events[0].Reason+": "+events[0].Message) + ")"
	}
	return State{Text: text, Code: "provisioning", After: provisionGrace, Late: &late}
}

func describeClaim(obj *unstructured.Unstructured) string {
	return advice.Command("oc describe pvc", obj.GetName(), "-n", obj.GetNamespace())
}
