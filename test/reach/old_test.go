package reach

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
)

// makeOld creates Buckets that break the rules, before the policy: two that the
// controller manages, and one that it refused because the S3 bucket existed.
func makeOld(t *testing.T, s session) {
	t.Helper()
	s.create(t, bucket("synced", fields{"name": "old-reports-bucket", "acl": "private"}))
	s.create(t, bucket("released", fields{"name": "old-release-bucket"}))
	s.create(t, bucket("refused", fields{"name": finance}))
	s.condition(t, "synced", "Ready", "True")
	s.condition(t, "released", "Ready", "True")
	s.condition(t, "refused", "ACK.Terminal", "True")
}

// testOld: such a Bucket can still be labelled, released, synced and deleted, and
// not be given anything new to do.
func testOld(t *testing.T, s session) {
	for _, try := range []struct {
		name, patch string
		admitted    bool
	}{
		{"synced", `{"metadata":{"labels":{"a":"b"},"annotations":{"note":"x"}}}`, true},
		{"synced", `{"metadata":{"labels":{"a":null},"annotations":{"note":null}}}`, true},
		{"synced", `{"metadata":{"annotations":{"services.k8s.aws/deletion-policy":"retain"}}}`, true},
		{"synced", `{"metadata":{"annotations":{"services.k8s.aws/deletion-policy":"delete"}}}`, false},
		{"synced", `{"metadata":{"annotations":{"services.k8s.aws/deletion-policy":null}}}`, false},
		{"synced", `{"metadata":{"annotations":{"services.k8s.aws/region":"eu-west-1"}}}`, false},
		{"synced", `{"metadata":{"annotations":{"services.k8s.aws/read-only":"true"}}}`, false},
		{"synced", `{"metadata":{"annotations":{"services.k8s.aws/of-times-to-come":"x"}}}`, false},
		{"synced", `{"spec":{"versioning":{"status":"Suspended"}}}`, false},
		{"synced", `{"spec":{"acl":"public-read"}}`, false},
		{"synced", `{"spec":{"acl":null}}`, false},
		{"synced", `{"spec":{"lifecycle":{"rules":[]}}}`, false},
		{"refused", `{"metadata":{"annotations":{"services.k8s.aws/adoption-policy":"adopt-or-create"}}}`, false},
		{"refused", `{"metadata":{"annotations":{"services.k8s.aws/adopted":"true"}}}`, false},
		{"refused", `{"metadata":{"annotations":{"services.k8s.aws/adoption-fields":"{\"name\":\"` + finance + `\"}"}}}`, false},
		{"refused", `{"metadata":{"finalizers":["` + finalizer + `"]}}`, false},
		{"refused", `{"metadata":{"finalizers":["example.com/mine"]}}`, true},
		{"refused", `{"metadata":{"finalizers":["example.com/mine","` + finalizer + `"]}}`, false},
		{"refused", `{"metadata":{"finalizers":null}}`, true},
		{"released", `{"metadata":{"finalizers":null}}`, true},
	} {
		_, err := s.buckets.Patch(t.Context(), try.name, types.MergePatchType, []byte(try.patch), metav1.PatchOptions{})
		if !try.admitted {
			err = wantDenied(err)
		}
		if err != nil {
			t.Errorf("%s of %s: %v", try.patch, try.name, err)
		}
	}
	// The controller looks at every Bucket again after a restart.
	s.ACK.Pause()
	clear := []byte(`{"status":null}`)
	if _, err := s.Dynamic.Resource(ack.Resource()).Namespace(s.project).Patch(t.Context(), "synced", types.MergePatchType, clear, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
	s.ACK.Resume()
	s.condition(t, "synced", "Ready", "True")
	for _, name := range []string{"synced", "refused", "released"} {
		if err := s.buckets.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		run.Eventually(t, name+" is deleted", func(ctx context.Context) error {
			object, err := s.buckets.Get(ctx, name, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return nil
			}
			return fmt.Errorf("%v, %v", err, object)
		})
	}
}

// testController: what the controller writes to a Bucket is its own business, also
// where the result is a Bucket that mallory may not write.
func testController(t *testing.T, s session) {
	object, err := s.buckets.Get(t.Context(), "allowed", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(object.GetFinalizers(), finalizer) {
		t.Errorf("no finalizer: %v", object.GetFinalizers())
	}
	for _, field := range []string{"encryption", "ownershipControls"} {
		if _, filled, _ := unstructured.NestedMap(object.Object, "spec", field); !filled {
			t.Errorf("late initialisation has not filled in %s: %v", field, object.Object["spec"])
		}
	}
	for _, entry := range object.GetManagedFields() {
		if entry.Manager == "controller" && entry.Operation != metav1.ManagedFieldsOperationUpdate {
			t.Errorf("%v", entry)
		}
	}
	adopted := "mallory--adopted-bucket"
	victim(t, s.Bed, adopted)
	before := look(t, s.Bed, adopted)
	s.create(t, bucket("adopted", fields{"name": adopted}, "adoption-policy", "adopt", "adoption-fields", `{"name":"`+adopted+`"}`, "deletion-policy", "retain"))
	s.condition(t, "adopted", "Ready", "True")
	object, err = s.buckets.Get(t.Context(), "adopted", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if object.GetAnnotations()["services.k8s.aws/adopted"] != "true" {
		t.Errorf("not adopted: %v", object.GetAnnotations())
	}
	for _, field := range []string{"policy", "lifecycle", "cors"} {
		if object.Object["spec"].(fields)[field] == nil {
			t.Errorf("adoption has not filled in %s: %v", field, object.Object["spec"])
		}
	}
	t.Log("changed by adopt:", changed(before, look(t, s.Bed, adopted)))
	// A label is no change of the fields that the policy would refuse.
	s.patch(t, "adopted", `{"metadata":{"labels":{"a":"b"}}}`)
	for _, name := range []string{"adopted", "allowed"} {
		if err := s.buckets.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		run.Eventually(t, name+": the finalizer is removed", func(ctx context.Context) error {
			_, err := s.buckets.Get(ctx, name, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return nil
			}
			return fmt.Errorf("it still exists: %v", err)
		})
	}
	if _, err := s.S3().HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String(adopted)}); err != nil {
		t.Errorf("the S3 bucket of a Bucket with deletion-policy retain: %v", err)
	}
}
