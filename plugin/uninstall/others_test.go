package uninstall

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
)

// TestUsersThatCannotBeSeen: after a release, role and bucket are ours by their tags
// and in use by objects of others. Who may not list those has to say yes.
func TestUsersThatCannotBeSeen(t *testing.T) {
	kinds := []schema.GroupVersionKind{{Version: "v1", Kind: "ServiceAccount"}, {Group: "s3.services.k8s.aws", Version: "v1alpha1", Kind: "Bucket"}}
	recorded := []apply.Ref{{Version: "v1", Kind: "ServiceAccount", Name: "ostoy-sa"}, bucketObject(nil).Ref}
	for name, c := range map[string]struct {
		unlisted []schema.GroupVersionKind
		recorded []apply.Ref
		doubt    string
	}{
		"all seen":                 {nil, nil, ""},
		"seen by the inventory":    {kinds, recorded, ""},
		"no Bucket to be seen":     {kinds[1:], nil, "you may not list buckets.s3.services.k8s.aws"},
		"Bucket not on record":     {kinds, recorded[:1], "you may not list buckets.s3.services.k8s.aws"},
		"another kind, of no user": {[]schema.GroupVersionKind{{Version: "v1", Kind: "Secret"}}, nil, ""},
	} {
		e := removing()
		e.app.state.Exists = true
		e.app.request.DeleteData, e.role.proof.Proven = true, true
		e.bucket.state, e.bucket.contents = bucket.State{Kind: bucket.Ours, Name: "demo-bucket"}, &bucket.Contents{Objects: 12}
		e.app.removal.Unlisted, e.app.removal.Inventory.Objects = c.unlisted, c.recorded
		if got := strings.Join(decide(*e).doubts, "\n"); (c.doubt == "") != (got == "") || !strings.Contains(got, c.doubt) {
			t.Errorf("%s: doubts %q", name, got)
		}
	}
}
