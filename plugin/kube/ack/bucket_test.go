package ack

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func aBucket(notes map[string]string, more map[string]any) *unstructured.Unstructured {
	b := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "s3.services.k8s.aws/v1alpha1", "kind": "Bucket"}}
	for key, value := range more {
		b.Object[key] = value
	}
	b.SetName("demo-bucket")
	b.SetNamespace("demo")
	b.SetAnnotations(notes)
	return b
}

func notesOf(patch map[string]any) any {
	if patch == nil {
		return nil
	}
	return patch["metadata"].(map[string]any)["annotations"]
}

func TestPolicyPatch(t *testing.T) {
	in := map[string]any{"status": map[string]any{"ackResourceMetadata": map[string]any{"region": "us-east-2"}}}
	for name, c := range map[string]struct {
		notes map[string]string
		want  any
	}{
		"as it is to be":     {map[string]string{policyKey: Retain, regionKey: "us-east-2"}, nil},
		"changed by hand":    {map[string]string{policyKey: Delete, regionKey: "us-east-2"}, map[string]any{policyKey: Retain}},
		"not said":           {nil, map[string]any{policyKey: Retain}},
		"misspelt":           {map[string]string{policyKey: "Retain"}, map[string]any{policyKey: Retain}},
		"in another region":  {map[string]string{policyKey: Retain, regionKey: "eu-west-1"}, map[string]any{regionKey: "us-east-2"}},
		"region is not said": {map[string]string{policyKey: Retain}, nil},
	} {
		b := aBucket(c.notes, in)
		patch := PolicyPatch(b, Retain)
		if diff := cmp.Diff(c.want, notesOf(patch)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if patch["spec"] != nil {
			t.Errorf("%s: the spec of a Bucket that stays is changed", name)
		}
		// On its way out, the spec changes too: the controller looks only then.
		now := metav1.Now()
		b.SetDeletionTimestamp(&now)
		if patch = PolicyPatch(b, Retain); (patch == nil) != (c.want == nil) || patch != nil && patch["spec"] == nil {
			t.Errorf("%s, on its way out: %v", name, patch)
		}
	}
}

func TestReleasePatch(t *testing.T) {
	b := aBucket(nil, nil)
	if ReleasePatch(b) != nil {
		t.Error("a Bucket without the finalizer is patched")
	}
	b.SetFinalizers([]string{"example.com/mine", Finalizer, "x/y"})
	have := ReleasePatch(b)["metadata"].(map[string]any)["finalizers"].([]any)
	if !slices.Equal(have, []any{"example.com/mine", "x/y"}) {
		t.Errorf("finalizers %v", have)
	}
}

// TestForRemoval: the object that is made again says what the first one said,
// but for the policy, and does not make the bucket an adopted one.
func TestForRemoval(t *testing.T) {
	was := aBucket(map[string]string{policyKey: Retain, adoptedKey: "true", regionKey: "us-east-2", "mine": "too"}, map[string]any{
		"spec": map[string]any{"name": "demo-bucket", "policy": "{}"}, "status": map[string]any{"location": "/"},
	})
	was.SetUID("1")
	was.SetFinalizers([]string{Finalizer})
	made := ForRemoval(was)
	notes := made.GetAnnotations()
	if notes[policyKey] != Delete || notes[regionKey] != "us-east-2" || notes["mine"] != "too" || notes["services.k8s.aws/adoption-policy"] != "adopt-or-create" {
		t.Errorf("annotations %v", notes)
	}
	if made.GetUID() != "" || made.GetFinalizers() != nil || made.Object["status"] != nil || !cmp.Equal(made.Object["spec"], was.Object["spec"]) {
		t.Errorf("%v", made.Object)
	}
	notes[adoptedKey] = "true" // as the controller will
	made.SetAnnotations(notes)
	if Adopted(made) || !Adopted(was) {
		t.Error("who made the bucket is forgotten")
	}
}

func TestComplaint(t *testing.T) {
	conditions := func(kind, status string) *unstructured.Unstructured {
		return aBucket(nil, map[string]any{"status": map[string]any{"conditions": []any{
			"nonsense", map[string]any{"type": kind, "status": status, "message": "api error BucketNotEmpty:\n no"},
		}}})
	}
	if got := Complaint(conditions("ACK.Recoverable", "True")); got != "api error BucketNotEmpty: no" {
		t.Errorf("%q", got)
	}
	for _, b := range []*unstructured.Unstructured{conditions("ACK.Recoverable", "False"), conditions("Ready", "True"), aBucket(nil, nil)} {
		if got := Complaint(b); got != "" {
			t.Errorf("%q", got)
		}
	}
}

func TestController(t *testing.T) {
	pod := func(image, ready string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"spec":   map[string]any{"containers": []any{map[string]any{"image": image}}},
			"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": ready}}},
		}}
	}
	for image, want := range map[string]bool{
		"public.ecr.aws/aws-controllers-k8s/s3-controller:1.10.0": true,
		"mirror.example.com:5000/ack/s3-controller@sha256:0":      true,
		"example.com/s3-controller/proxy:1":                       false,
		"example.com/app:1":                                       false,
	} {
		if got := hasImage(pod(image, "True")); got != want {
			t.Errorf("%s: %t", image, got)
		}
	}
	if !ready(pod("x", "True")) || ready(pod("x", "False")) || ready(&unstructured.Unstructured{Object: map[string]any{}}) {
		t.Error("ready pods are not told from others")
	}
}
