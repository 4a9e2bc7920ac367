package ack

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// mergePatch is RFC 7386, which is what the API server does with our patches.
func mergePatch(object, patch map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range object {
		out[key] = value
	}
	for key, value := range patch {
		table, ok := value.(map[string]any)
		switch {
		case value == nil:
			delete(out, key)
		case ok:
			was, _ := out[key].(map[string]any)
			out[key] = mergePatch(was, table)
		default:
			out[key] = value
		}
	}
	return out
}

// FuzzBucket: a Bucket as a controller, or somebody by hand, may have written
// it. Whatever is in it, a patch changes what it is for and nothing else, once
// applied it is not asked for again, and what is said of the object fits a line.
func FuzzBucket(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"metadata":null,"status":[]}`, `{"metadata":{"annotations":{"services.k8s.aws/deletion-policy":"delete","services.k8s.aws/region":"eu-west-1"}},"status":{"ackResourceMetadata":{"region":"us-east-2","ownerAccountID":"123456789012"}}}`,
		`{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z","finalizers":["finalizers.s3.services.k8s.aws/Bucket","x/y"]},"spec":{"requestPayment":{"payer":"Requester"}}}`,
		`{"metadata":{"annotations":{"services.k8s.aws/adopted":"true","ostoy-s3/removing":""},"finalizers":"finalizers.s3.services.k8s.aws/Bucket"},"spec":"x"}`,
		`{"status":{"conditions":[null,1,{"type":"ACK.Terminal","status":"True","message":"a\nb\u0007"},{"type":"ACK.Recoverable","status":"True","message":7}]}}`,
		`{"status":{"ackResourceMetadata":"x","conditions":{"type":"Ready"}},"metadata":{"annotations":{"a":1},"deletionTimestamp":"never"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		object := map[string]any{}
		if json.Unmarshal(data, &object) != nil || object == nil {
			return
		}
		bucket := &unstructured.Unstructured{Object: object}
		before := bucket.DeepCopy()
		_, _, _ = Adopted(bucket), Region(bucket), Account(bucket)
		if text := Complaint(bucket); strings.ContainsAny(text, "\n\r\t") || len(text) > maxComplaint+len("...") {
			t.Errorf("a complaint of %d bytes: %.100q", len(text), text)
		}
		for _, policy := range []string{Retain, Delete} {
			checkPolicyPatch(t, bucket, policy)
		}
		checkReleasePatch(t, bucket)
		made := ForRemoval(bucket)
		if made.GetUID() != "" || len(made.GetFinalizers()) > 0 || made.Object["status"] != nil || made.GetAnnotations()[policyKey] != Delete || Adopted(made) {
			t.Errorf("made anew: %v", made.Object)
		}
		if diff := cmp.Diff(before.Object, bucket.Object); diff != "" {
			t.Errorf("looking at it changed it: %s", diff)
		}
	})
}

func checkPolicyPatch(t *testing.T, bucket *unstructured.Unstructured, policy string) {
	t.Helper()
	patch := PolicyPatch(bucket, policy)
	if patch == nil {
		return
	}
	notes := patch["metadata"].(map[string]any)["annotations"].(map[string]any)
	for key := range notes {
		if key != policyKey && key != regionKey {
			t.Errorf("annotation %s is touched", key)
		}
	}
	if spec, ok := patch["spec"].(map[string]any); len(patch) > 2 || ok && (len(spec) != 1 || bucket.GetDeletionTimestamp() == nil) {
		t.Errorf("more is touched than is meant: %v", patch)
	}
	after := &unstructured.Unstructured{Object: mergePatch(bucket.Object, patch)}
	if after.GetAnnotations() == nil {
		return // annotations that are no annotations: no API server has them
	}
	if again := PolicyPatch(after, policy); again != nil {
		t.Errorf("%v, and then %v", patch, again)
	}
}

func checkReleasePatch(t *testing.T, bucket *unstructured.Unstructured) {
	t.Helper()
	patch := ReleasePatch(bucket)
	if (patch != nil) != Managed(bucket) {
		t.Errorf("managed %t, patch %v", Managed(bucket), patch)
	}
	if patch == nil {
		return
	}
	after := &unstructured.Unstructured{Object: mergePatch(bucket.Object, patch)}
	want := slices.DeleteFunc(slices.Clone(bucket.GetFinalizers()), func(s string) bool { return s == Finalizer })
	if have := after.GetFinalizers(); !slices.Equal(have, want) {
		t.Errorf("finalizers %q, want %q", have, want)
	}
}
