package health

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// How long conditions that are exactly those of before our change are held
// for old ones. ACK reconciles a changed spec within two seconds (measured)
// and sets its conditions anew each time. But whether it writes them when
// nothing in them changed is not on record, so old ones are believed in the
// end: a Ready sooner, because the spec was accepted before; a failure later,
// because believing it wrongly ends the wait.
const (
	oldReadyGrace   = 5 * time.Second
	oldFailureGrace = 15 * time.Second
)

// Bucket judges an ACK Bucket by its conditions (pkg/condition/condition.go of
// aws-controllers-k8s/runtime). before are the
// conditions it had when this run wrote it; they count only if written.
func Bucket(obj *unstructured.Unstructured, before []Condition, written bool, in Around) State {
	conds := Conditions(obj)
	s := judgeBucket(obj, conds, in).plainly()
	if !written || len(conds) == 0 || !slices.Equal(conds, before) || obj.GetDeletionTimestamp() != nil {
		return s
	}
	wait := oldFailureGrace
	if s.Ready {
		wait = oldReadyGrace
	}
	return State{Text: "waiting for the ACK controller to take the change", After: wait, Late: &s}
}

func judgeBucket(obj *unstructured.Unstructured, conds []Condition, in Around) State {
	recoverable, _ := find(conds, "ACK.Recoverable")
	terminal, _ := find(conds, "ACK.Terminal")
	if obj.GetDeletionTimestamp() != nil {
		s := deleted()
		if recoverable.status == "True" {
			s.Text += ": " + recoverable.text()
			s.Hint = Release(obj)
		}
		return s
	}
	if s, ok := regionDrift(obj, in); ok {
		return s
	}
	switch {
	case terminal.status == "True" && strings.Contains(terminal.text(), "AccessDenied"):
		return Failing(deniedController(conds).Settled())
	case terminal.status == "True":
		return Failing(State{Text: "the ACK controller has given up: " + terminal.text(), Hint: terminalHint(obj, terminal.text(), in)})
	case mentions(conds, "IAM Role is not available"):
		return Failing(State{
			Text: "the ACK controller has no role for this project: IAM Role is not available",
			Hint: "an admin maps accounts to roles for the controller (CARM): see its ConfigMap ack-role-account-map and the annotations of namespace " + obj.GetNamespace(),
		})
	case recoverable.status == "True":
		return judgeRecoverable(obj, conds, recoverable, in)
	}
	return judgeReady(obj, conds)
}

// judgeReady accepts both spellings: Ready is there since s3-controller 1.1.2.
func judgeReady(obj *unstructured.Unstructured, conds []Condition) State {
	ready, ok := find(conds, "Ready")
	if !ok {
		ready, ok = find(conds, "ACK.ResourceSynced")
	}
	switch {
	case ready.status == "True":
		return State{Text: "synced", Ready: true}
	case ok && saysAtWork(ready.text()):
		return stillAtWork(ready.text())
	case ok || len(conds) > 0:
		return State{Text: "being made by the ACK controller"}
	}
	late := State{
		Level: Warn,
		Text:  "no controller has looked at it for 30 s: the ACK S3 controller is not running, or does not watch " + obj.GetNamespace(),
		Hint:  "oc ostoy-s3 controller status, or who runs the cluster",
	}
	return State{Text: "waiting for the ACK controller", After: noStatusGrace, Late: &late}
}

// judgeRecoverable tells apart what ACK calls recoverable: some of it never
// heals by waiting, the rest is passed through on the way.
func judgeRecoverable(obj *unstructured.Unstructured, conds []Condition, c Condition, in Around) State {
	text := c.text()
	if strings.Contains(text, "AccessDenied") {
		return deniedController(conds)
	}
	if saysAtWork(text) {
		return stillAtWork(text)
	}
	name, code, known := codeIn(text)
	switch {
	case name == "BucketNotEmpty":
		return Failing(State{Text: code.says + ": " + name, Hint: Release(obj)})
	case code.never:
		return Failing(State{Text: code.says + ": " + sentence(name, text), Hint: code.advise(obj, in)})
	case known && code.says != "":
		text = code.says + ": " + text
	}
	late := State{Level: Warn, Text: "the ACK controller tries again: " + text, Hint: describeBucket(obj)}
	return State{Text: "being made by the ACK controller", Code: "recoverable: " + text, After: 5 * time.Second, Late: &late}
}

// sentence is what S3 says, from its code on.
func sentence(code, text string) string {
	return plain.Said(text[max(0, strings.Index(text, code)):])
}

// deniedController: a controller that has just got its role is denied for a
// few seconds and retries soon, so this must last a little. Later it would
// not be retried for up to 16 minutes: client-go's default limiter ends at 1000 s.
// What a policy denies explicitly does not pass.
func deniedController(conds []Condition) State {
	what, said := "an S3 call", ""
	for _, c := range conds {
		if action := MissingAction(c.reason + " " + c.message); action != "" {
			what = action
		}
		if text := c.reason + " " + c.message; awserr.StaysIn(text) {
			said = text
		}
	}
	restart := "; then restart the controller (" + advice.Command("oc ostoy-s3 controller status") + " names it): it retries only after minutes"
	if said != "" {
		decided := awserr.DecidedIn(said, "the controller")
		return Failing(State{Text: "the ACK controller may not make " + what + ": AccessDenied: " + decided.Why, Hint: decided.Next + restart})
	}
	hint := "give the role of the controller the permission, and look for a service control policy of the organisation that denies it"
	switch {
	case strings.HasPrefix(what, "sts:"):
		hint = "the trust policy of the role of the controller must name its service account: oc ostoy-s3 controller status shows both"
	case strings.HasPrefix(what, "kms:"):
		hint = "give the role of the controller the permission, in the policy of the KMS key, too"
	case strings.HasSuffix(what, "PublicAccessBlock"):
		// ACK's community#2670.
		hint = "give the role of the controller the permission; most often a service control policy of the organisation denies this one to all but a few roles: its administrators add this role to the exceptions"
	}
	return Graced(State{Text: "the ACK controller may not make " + what + ": AccessDenied", Hint: hint + restart}, deniedGrace)
}

// Release is the command that lets a Bucket go and keeps its data: the
// controller reads the annotation again at each retry.
func Release(obj *unstructured.Unstructured) string {
	return "to release it and keep the data: " + retain(obj.GetName(), obj.GetNamespace())
}

// bucketResource is the resource as oc takes it.
const bucketResource = "buckets.s3.services.k8s.aws"

// retain is the command after which the controller leaves the bucket alone when its
// object is deleted: an editor of the project can have set another policy.
func retain(name, namespace string) string {
	return advice.Command("oc annotate", bucketResource, name, "-n", namespace, "services.k8s.aws/deletion-policy=retain", "--overwrite")
}

// DeleteRetained are the commands after which the S3 bucket of a Bucket stays when the
// Bucket is deleted, and which delete it.
func DeleteRetained(name, namespace string) string {
	return retain(name, namespace) + "\n" + advice.Command("oc delete", bucketResource, name, "-n", namespace)
}

// Anew is what makes the controller look at everything again: without its object the
// bucket stays, and is adopted by the next one, which again creates.
func Anew(name, namespace, again string) string {
	return "delete the Bucket resource and install again (the S3 bucket stays, with its objects):\n" + DeleteRetained(name, namespace) + "\n" + again
}

func describeBucket(obj *unstructured.Unstructured) string {
	return advice.Command("oc describe buckets.s3.services.k8s.aws", obj.GetName(), "-n", obj.GetNamespace())
}

// regionDrift: since runtime 0.53 the controller then does nothing at all, not even set a
// condition (regionDrifted in pkg/runtime/reconciler.go).
func regionDrift(obj *unstructured.Unstructured, in Around) (State, bool) {
	found := Text(obj.Object, "status", "ackResourceMetadata", "region")
	asked := obj.GetAnnotations()["services.k8s.aws/region"]
	if found == "" || asked == "" || found == asked {
		return State{}, false
	}
	is, want := advice.Region(found), advice.Region(asked)
	return Failing(State{
		Text: "its status says " + is.String() + ", its annotation says " + want.String() + ": the ACK controller ignores it",
		Hint: WhereIs(obj.GetName()) + "; then install with that region:\n" + in.again("--region", "REGION"),
	}), true
}

// InTwoRegions reports whether status and annotation of a Bucket name two regions. Both
// can be written in the project: where the bucket is, only S3 says.
func InTwoRegions(obj *unstructured.Unstructured) bool {
	_, is := regionDrift(obj, Around{})
	return is
}

// WhereIs is the command that shows the region of a bucket.
func WhereIs(bucket string) string {
	return advice.Command("aws s3api get-bucket-location --bucket", advice.BucketName(bucket).Word()) + " shows where the bucket is (null is us-east-1)"
}

func terminalHint(obj *unstructured.Unstructured, text string, in Around) string {
	remove := Anew(obj.GetName(), obj.GetNamespace(), in.again())
	switch {
	case strings.Contains(text, "already exists"):
		// An annotation alone changes no generation, and the controller filters by that.
		return "the bucket exists and the controller was not told to adopt it when this object was created: " + remove
	case strings.Contains(text, "adoption policy"):
		return "the annotation services.k8s.aws/adoption-policy is wrong: " + remove
	case strings.Contains(text, "PermanentRedirect"), strings.Contains(text, "LocationConstraint"):
		return s3Code{cure: place}.advise(obj, in)
	}
	if _, code, known := codeIn(text); known && code.cure != "" {
		return code.advise(obj, in)
	}
	return describeBucket(obj)
}

func mentions(conds []Condition, text string) bool {
	return slices.ContainsFunc(conds, func(c Condition) bool {
		return strings.Contains(c.message, text) || strings.Contains(c.reason, text)
	})
}
