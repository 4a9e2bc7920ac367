package reach

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
)

// ways are the requests by which a Bucket can come to be as it is wanted.
func (s session) ways(want *unstructured.Unstructured) map[string]func(ctx context.Context) error {
	here := want.DeepCopy()
	here.SetName("allowed")
	patch, err := here.MarshalJSON()
	if err != nil {
		panic(err)
	}
	return map[string]func(ctx context.Context) error{
		"create": func(ctx context.Context) error {
			_, err := s.buckets.Create(ctx, want, metav1.CreateOptions{})
			return err
		},
		"create, dry run": func(ctx context.Context) error {
			_, err := s.buckets.Create(ctx, want, metav1.CreateOptions{DryRun: []string{"All"}})
			return err
		},
		"generateName": func(ctx context.Context) error {
			object := want.DeepCopy()
			object.SetName("")
			object.SetGenerateName("try-")
			_, err := s.buckets.Create(ctx, object, metav1.CreateOptions{})
			return err
		},
		"apply": func(ctx context.Context) error {
			_, err := s.buckets.Apply(ctx, want.GetName(), want, metav1.ApplyOptions{FieldManager: "mallory", Force: true})
			return err
		},
		"update": func(ctx context.Context) error { return s.update(ctx, here) },
		"merge patch": func(ctx context.Context) error {
			_, err := s.buckets.Patch(ctx, "allowed", types.MergePatchType, patch, metav1.PatchOptions{})
			return err
		},
		"apply over": func(ctx context.Context) error {
			_, err := s.buckets.Apply(ctx, "allowed", here, metav1.ApplyOptions{FieldManager: "mallory", Force: true})
			return err
		},
		"JSON patch": func(ctx context.Context) error {
			return s.jsonPatch(ctx, here)
		},
	}
}

// update replaces spec and annotations of the allowed Bucket.
func (s session) update(ctx context.Context, want *unstructured.Unstructured) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		object, err := s.buckets.Get(ctx, "allowed", metav1.GetOptions{})
		if err != nil {
			return err
		}
		object.Object["spec"] = want.Object["spec"]
		if object.Object["spec"] == nil {
			delete(object.Object, "spec")
		}
		object.SetAnnotations(want.GetAnnotations())
		_, err = s.buckets.Update(ctx, object, metav1.UpdateOptions{})
		return err
	})
}

func (s session) jsonPatch(ctx context.Context, want *unstructured.Unstructured) error {
	text, err := json.Marshal([]any{
		fields{"op": "add", "path": "/spec", "value": orEmpty(want.Object["spec"])},
		fields{"op": "add", "path": "/metadata/annotations", "value": orEmpty(want.Object["metadata"].(fields)["annotations"])},
	})
	if err != nil {
		return err
	}
	_, err = s.buckets.Patch(ctx, "allowed", types.JSONPatchType, text, metav1.PatchOptions{})
	return err
}

// refusedByKind lists the updates that the schema of the kind refuses before the
// policy is asked: the name of the S3 bucket cannot be changed or left out. Every other
// update has to reach the policy.
func refusedByKind(name, way string) bool {
	switch name {
	case "foreign name", "foreign name, to adopt":
		return way == "update" || way == "merge patch" || way == "apply over" || way == "JSON patch"
	case "no spec, to adopt":
		return way == "JSON patch" // by which the spec is empty, and its name missing
	}
	return false
}

// testTries sends every forbidden Bucket in every way. The controller is paused: what
// changes the allowed Bucket meanwhile is one of the tries.
func testTries(t *testing.T, s session) {
	s.ACK.Pause()
	defer s.ACK.Resume()
	before, err := s.buckets.Get(t.Context(), "allowed", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range forbidden(t, s.Bed) {
		t.Run(name, func(t *testing.T) {
			for way, try := range s.ways(want) {
				err := try(t.Context())
				if refusedByKind(name, way) {
					// A policy's refusal has the same reason as one of the kind's schema.
					if !apierrors.IsInvalid(err) || strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
						t.Errorf("%s: not refused by the kind: %v", way, err)
					}
				} else if err := wantDenied(err); err != nil {
					t.Errorf("%s: %v", way, err)
				}
			}
		})
	}
	after, err := s.buckets.Get(t.Context(), "allowed", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if after.GetResourceVersion() != before.GetResourceVersion() {
		t.Errorf("the allowed Bucket was changed: %v", after.Object)
	}
}
