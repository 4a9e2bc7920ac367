package plugin

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
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
		u := removing()
		u.project.exists = true
		u.request.DeleteData, u.proof.Proven = true, true
		u.bucket, u.contents = bucket.State{Kind: bucket.Ours, Name: "demo-bucket"}, &bucket.Contents{Objects: 12}
		u.removal.Unlisted, u.removal.Inventory.Objects = c.unlisted, c.recorded
		if err := u.decide(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(u.doubts, "\n"); (c.doubt == "") != (got == "") || !strings.Contains(got, c.doubt) {
			t.Errorf("%s: doubts %q", name, got)
		}
	}
}
