package ack

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// Finalizer is what keeps a Bucket until the controller has let go of it.
const Finalizer = "finalizers.s3.services.k8s.aws/Bucket"

// Deletion policies.
const (
	Retain = "retain" // the bucket stays when its object goes
	Delete = "delete" // S3 is asked to delete it, which it refuses unless it is empty
)

const (
	policyKey  = "services.k8s.aws/deletion-policy"
	regionKey  = "services.k8s.aws/region"
	adoptedKey = "services.k8s.aws/adopted"
	// removingKey marks a Bucket that was made anew only to remove its bucket
	// through the controller. That the controller calls it adopted says nothing.
	removingKey = "ostoy-s3/removing"
)

// Managed reports whether the controller has taken charge of a Bucket.
func Managed(bucket *unstructured.Unstructured) bool {
	return slices.Contains(bucket.GetFinalizers(), Finalizer)
}

// Adopted reports whether the controller found the bucket there when it took
// charge of it.
func Adopted(bucket *unstructured.Unstructured) bool {
	notes := bucket.GetAnnotations()
	return notes[adoptedKey] == "true" && notes[removingKey] == ""
}

// Region is where the bucket is asked for, "" if the object does not say.
func Region(bucket *unstructured.Unstructured) string { return bucket.GetAnnotations()[regionKey] }

// DeletionPolicy is what becomes of the bucket when its object goes: Delete where
// the object does not say, Retain for anything but Delete that it says, as the
// controller (v1.10) judges it. That a namespace may say otherwise is not looked at.
func DeletionPolicy(bucket *unstructured.Unstructured) string {
	switch bucket.GetAnnotations()[policyKey] {
	case "", Delete:
		return Delete
	}
	return Retain
}

// Account is the AWS account that the controller found the bucket in.
func Account(bucket *unstructured.Unstructured) string {
	return health.Text(bucket.Object, "status", "ackResourceMetadata", "ownerAccountID")
}

// PolicyPatch is the merge patch after which the controller will treat the
// bucket by the policy, and can: it does nothing to a Bucket that asks for
// another region than its bucket is in, not even let go of it. On a Bucket that
// is being deleted already the patch also changes a field of the spec, to what
// AWS does anyway, because the controller looks at annotations only when the
// spec changes, and else at its next try, up to 16 minutes later. Nil: all is as
// it is to be.
func PolicyPatch(bucket *unstructured.Unstructured, policy string) map[string]any {
	notes := bucket.GetAnnotations()
	change := map[string]any{}
	if notes[policyKey] != policy {
		change[policyKey] = policy
	}
	is := health.Text(bucket.Object, "status", "ackResourceMetadata", "region")
	if is != "" && notes[regionKey] != "" && notes[regionKey] != is {
		change[regionKey] = is
	}
	if len(change) == 0 {
		return nil
	}
	patch := map[string]any{"metadata": map[string]any{"annotations": change}}
	if bucket.GetDeletionTimestamp() != nil {
		patch["spec"] = nudge(bucket)
	}
	return patch
}

// nudge is a change of the spec that changes nothing in AWS: that the owner of
// the bucket pays for requests is so unless somebody asks for something else.
func nudge(bucket *unstructured.Unstructured) map[string]any {
	if health.Text(bucket.Object, "spec", "requestPayment", "payer") == "" {
		return map[string]any{"requestPayment": map[string]any{"payer": "BucketOwner"}}
	}
	return map[string]any{"requestPayment": nil}
}

// ReleasePatch takes the controller's finalizer off, and no other. Nil: it is
// not there.
func ReleasePatch(bucket *unstructured.Unstructured) map[string]any {
	if !Managed(bucket) {
		return nil
	}
	rest := []any{}
	for _, f := range bucket.GetFinalizers() {
		if f != Finalizer {
			rest = append(rest, f)
		}
	}
	return map[string]any{"metadata": map[string]any{"finalizers": rest}}
}

// ForRemoval is a Bucket like the one that was there, with which the controller
// takes charge of the bucket again and deletes it in the end.
func ForRemoval(was *unstructured.Unstructured) *unstructured.Unstructured {
	made := &unstructured.Unstructured{Object: map[string]any{}}
	made.SetGroupVersionKind(was.GroupVersionKind())
	made.SetName(was.GetName())
	made.SetNamespace(was.GetNamespace())
	made.SetLabels(was.GetLabels())
	notes := map[string]string{}
	maps.Copy(notes, was.GetAnnotations())
	delete(notes, adoptedKey)
	notes[policyKey], notes[removingKey] = Delete, "true"
	notes["services.k8s.aws/adoption-policy"] = "adopt-or-create"
	made.SetAnnotations(notes)
	if spec, ok := was.Object["spec"]; ok {
		made.Object["spec"] = spec
	}
	return made
}

// maxComplaint is how many bytes of a complaint are shown: it is an error of AWS,
// which may quote a whole policy.
const maxComplaint = 600

// Complaint is what the controller says it cannot do with a Bucket, in one line;
// "" if it does not complain.
func Complaint(bucket *unstructured.Unstructured) string {
	for _, c := range health.Maps(bucket.Object, "status", "conditions") {
		kind := health.Text(c, "type")
		if c["status"] != "True" || kind != "ACK.Recoverable" && kind != "ACK.Terminal" {
			continue
		}
		if message := plain.Line(health.Text(c, "message")); message != "" {
			if len(message) > maxComplaint {
				message = strings.ToValidUTF8(message[:maxComplaint], "") + "..."
			}
			return message
		}
	}
	return ""
}
