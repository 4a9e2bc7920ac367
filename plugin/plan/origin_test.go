package plan

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
)

// applied puts an object on record as one that this tool has applied.
func applied(object *unstructured.Unstructured) *apply.Item {
	_ = unstructured.SetNestedSlice(object.Object, []any{map[string]any{
		"manager": apply.Manager, "operation": "Apply", "apiVersion": object.GetAPIVersion(), "fieldsType": "FieldsV1", "fieldsV1": map[string]any{},
	}}, "metadata", "managedFields")
	return &apply.Item{Ref: apply.RefOf(object), Live: object}
}

// bucketItem is the project's Bucket as the controller has it.
func bucketItem(notes map[string]string) *apply.Item {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "s3.services.k8s.aws/v1alpha1", "kind": "Bucket",
		"status": map[string]any{"ackResourceMetadata": map[string]any{"ownerAccountID": "123456789012"}},
	}}
	object.SetName("demo-bucket")
	object.SetFinalizers([]string{ack.Finalizer})
	object.SetAnnotations(notes)
	return &apply.Item{Ref: apply.RefOf(object), Live: object, Action: apply.Delete}
}

// TestOriginWithoutInventory: an inventory that was lost does not make the bucket of an
// install one that existed before it. What is left of the install has to say so; tags
// of a bucket whose project was deleted do not.
func TestOriginWithoutInventory(t *testing.T) {
	object := func(notes map[string]string) *apply.Item { return applied(bucketItem(notes).Live) }
	unmanaged := object(nil)
	unmanaged.Live.SetFinalizers(nil)
	missing := &apply.Item{Ref: unmanaged.Ref}
	account := applied(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": "ostoy-sa"},
	}})
	hand := bucketItem(nil)
	role, creates := &iam.Plan{}, &iam.Plan{Steps: []iam.Step{{Kind: iam.CreateRole}}}
	for name, c := range map[string]struct {
		kind    bucket.Kind
		role    *iam.Plan
		request Request
		items   []*apply.Item
		want    string
	}{
		"no bucket":                        {bucket.Free, creates, Request{}, nil, apply.OriginCreated},
		"our Bucket manages it":            {bucket.Ours, role, Request{}, []*apply.Item{object(nil), account}, apply.OriginCreated},
		"our Bucket, tags to come":         {bucket.Foreign, creates, Request{}, []*apply.Item{object(nil)}, apply.OriginCreated},
		"our Bucket has adopted it":        {bucket.Ours, role, Request{}, []*apply.Item{object(map[string]string{"services.k8s.aws/adopted": "true"}), account}, apply.OriginAdopted},
		"a Bucket made by hand":            {bucket.Foreign, role, Request{}, []*apply.Item{hand, account}, apply.OriginAdopted},
		"no Bucket, but the rest and role": {bucket.Ours, role, Request{}, []*apply.Item{missing, account}, apply.OriginCreated},
		"not managed yet, role and rest":   {bucket.Ours, role, Request{}, []*apply.Item{unmanaged, account}, apply.OriginCreated},
		"no Bucket, no role":               {bucket.Ours, creates, Request{}, []*apply.Item{missing, account}, apply.OriginAdopted},
		"nothing but tags and role":        {bucket.Ours, role, Request{}, []*apply.Item{missing}, apply.OriginAdopted},
		"role and rest, tags of others":    {bucket.Foreign, role, Request{}, []*apply.Item{missing, account}, apply.OriginAdopted},
		"a role that is taken over":        {bucket.Ours, role, Request{Role: iam.RoleOptions{Adopt: true}}, []*apply.Item{missing, account}, apply.OriginAdopted},
		"a role that something else makes": {bucket.Ours, role, Request{IAM: IAMSkip}, []*apply.Item{missing, account}, apply.OriginAdopted},
	} {
		p := Plan{Desired: Desired{Request: c.request}, Bucket: bucket.State{Kind: c.kind}, Role: c.role, Objects: &apply.Plan{Items: c.items}}
		if got := bucketOrigin(p); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if !ack.Managed(object(nil).Live) {
		t.Error("the Bucket of these tests is not managed")
	}
}
