package health

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
)

// Volume judges a PersistentVolumeClaim. Pending is normal while no pod
// uses it: most classes bind only then (WaitForFirstConsumer).
func Volume(obj *unstructured.Unstructured) State { return judgeVolume(obj).plainly() }

func judgeVolume(obj *unstructured.Unstructured) State {
	ns, name := obj.GetNamespace(), obj.GetName()
	switch phase := Text(obj.Object, "status", "phase"); {
	case obj.GetDeletionTimestamp() != nil:
		return Failing(State{Text: "it is being deleted", Hint: "wait until it is gone, then run the same command again"})
	case phase == "Bound":
		return State{Text: "bound", Ready: true}
	case phase == "Lost":
		return Failing(State{
			Text: "its volume is lost: " + Text(obj.Object, "spec", "volumeName") + " is not there any more",
			Hint: "restore the volume, or give its data up and install again: " + advice.Command("oc delete pvc", name, "-n", ns),
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
	if node := obj.GetAnnotations()["volume.kubernetes.io/selected-node"]; node != "" {
		return State{Text: "being made on " + node}
	}
	return State{Text: strings.TrimSpace("waiting for its first pod " + ofClass(class))}
}

func ofClass(class string) string {
	if class == "" {
		return ""
	}
	return "(class " + class + ")"
}
