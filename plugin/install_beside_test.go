package plugin

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
)

// applied puts an object on record as one that this tool has applied.
func applied(object *unstructured.Unstructured) *apply.Item {
	_ = unstructured.SetNestedSlice(object.Object, []any{map[string]any{
		"manager": apply.Manager, "operation": "Apply", "apiVersion": object.GetAPIVersion(), "fieldsType": "FieldsV1", "fieldsV1": map[string]any{},
	}}, "metadata", "managedFields")
	return &apply.Item{Ref: apply.RefOf(object), Live: object}
}

// TestOriginWithoutInventory: an inventory that was lost does not make the bucket of an
// install one that existed before it. What is left of the install has to say so; tags
// of a bucket whose project was deleted do not.
func TestOriginWithoutInventory(t *testing.T) {
	object := func(notes map[string]string) *apply.Item { return applied(bucketObject(notes).Live) }
	unmanaged := object(nil)
	unmanaged.Live.SetFinalizers(nil)
	missing := &apply.Item{Ref: unmanaged.Ref}
	account := applied(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": "ostoy-sa"},
	}})
	hand := bucketObject(nil)
	role, creates := &iam.Plan{}, &iam.Plan{Steps: []iam.Step{{Kind: iam.CreateRole}}}
	for name, c := range map[string]struct {
		kind    bucket.Kind
		role    *iam.Plan
		request InstallRequest
		items   []*apply.Item
		want    string
	}{
		"no bucket":                        {bucket.Free, creates, InstallRequest{}, nil, apply.OriginCreated},
		"our Bucket manages it":            {bucket.Ours, role, InstallRequest{}, []*apply.Item{object(nil), account}, apply.OriginCreated},
		"our Bucket, tags to come":         {bucket.Foreign, creates, InstallRequest{}, []*apply.Item{object(nil)}, apply.OriginCreated},
		"our Bucket has adopted it":        {bucket.Ours, role, InstallRequest{}, []*apply.Item{object(map[string]string{"services.k8s.aws/adopted": "true"}), account}, apply.OriginAdopted},
		"a Bucket made by hand":            {bucket.Foreign, role, InstallRequest{}, []*apply.Item{hand, account}, apply.OriginAdopted},
		"no Bucket, but the rest and role": {bucket.Ours, role, InstallRequest{}, []*apply.Item{missing, account}, apply.OriginCreated},
		"not managed yet, role and rest":   {bucket.Ours, role, InstallRequest{}, []*apply.Item{unmanaged, account}, apply.OriginCreated},
		"no Bucket, no role":               {bucket.Ours, creates, InstallRequest{}, []*apply.Item{missing, account}, apply.OriginAdopted},
		"nothing but tags and role":        {bucket.Ours, role, InstallRequest{}, []*apply.Item{missing}, apply.OriginAdopted},
		"role and rest, tags of others":    {bucket.Foreign, role, InstallRequest{}, []*apply.Item{missing, account}, apply.OriginAdopted},
		"a role that is taken over":        {bucket.Ours, role, InstallRequest{Role: RoleRequest{Adopt: true}}, []*apply.Item{missing, account}, apply.OriginAdopted},
		"a role that something else makes": {bucket.Ours, role, InstallRequest{IAM: IAMSkip}, []*apply.Item{missing, account}, apply.OriginAdopted},
	} {
		i := &install{request: c.request, bucket: bucket.State{Kind: c.kind}, role: c.role, plan: &apply.Plan{Items: c.items}}
		if got := i.bucketOrigin(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if !ack.Managed(object(nil).Live) {
		t.Error("the Bucket of these tests is not managed")
	}
}
