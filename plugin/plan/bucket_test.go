package plan

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	tagging       = "GET demo-bucket?tagging"
	bucketObjects = "GET /apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets/demo-bucket"
)

// tagged is what S3 says of tags.
func tagged(tags map[string]string) string {
	all := ""
	for key, value := range tags {
		all += "<Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag>"
	}
	return "<Tagging><TagSet>" + all + "</TagSet></Tagging>"
}

// managedBucket is the project's Bucket object, which this tool has applied and by which
// the controller manages the bucket.
func managedBucket(change func(*unstructured.Unstructured)) *unstructured.Unstructured {
	object := applied(bucketItem(nil).Live).Live
	change(object)
	return object
}

// bucketThere is a project with an inventory, whose bucket S3 has, without tags that can be
// read, and whose role says that the bucket is the project's.
func bucketThere(t *testing.T) (*world, iam.Role) {
	t.Helper()
	w := newWorld(t)
	w.project.Inventory.Found = true
	own, err := iam.Desired(w.project.Facts, iam.RoleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.aws.Answer("HEAD demo-bucket", "")
	w.aws.Refuse(tagging, http.StatusForbidden, "AccessDenied", "not authorized to perform: s3:GetBucketTagging")
	w.rolesAre(map[string]http.HandlerFunc{own.Name: role(own.ARN, own.Trust, own.Tags)})
	w.cluster.Answer(bucketObjects, managedBucket(func(*unstructured.Unstructured) {}).Object)
	return w, own
}

// noTagsThen has S3 show no tags at first, and these afterwards.
func noTagsThen(w *world, tags map[string]string) {
	var asked atomic.Bool
	w.aws.Handle(tagging, func(out http.ResponseWriter, r *http.Request) {
		if !asked.Swap(true) {
			refuse(http.StatusNotFound, "NoSuchTagSet")(out, r)
			return
		}
		_, _ = out.Write([]byte(tagged(tags)))
	})
}

// TestLookAtBucket: a bucket whose tags do not say whose it is may be used if the role says
// that it is the project's and the controller manages it by the project's Bucket, or if its
// tags come a moment later; what the project alone says is not enough.
func TestLookAtBucket(t *testing.T) {
	others := map[string]string{"team": "blue"}
	object := func(change func(*unstructured.Unstructured)) func(*world, iam.Role) {
		return func(w *world, _ iam.Role) { w.cluster.Answer(bucketObjects, managedBucket(change).Object) }
	}
	noRole := func(w *world, _ iam.Role) { w.rolesAre(nil) }
	foreign := func(w *world, _ iam.Role) { w.aws.Answer(tagging, tagged(others)) }
	both := func(a, b func(*world, iam.Role)) func(*world, iam.Role) {
		return func(w *world, own iam.Role) { a(w, own); b(w, own) }
	}
	going := object(func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, "2026-01-01T00:00:00Z", "metadata", "deletionTimestamp")
	})
	for name, c := range map[string]struct {
		change func(*world, iam.Role)
		adopt  adopt.Set
		may    bool
	}{
		"role and Bucket": {func(*world, iam.Role) {}, 0, true},
		"no Bucket":       {func(w *world, _ iam.Role) { w.cluster.Refuse(bucketObjects, 404, "NotFound", "none") }, 0, false},
		"Bucket of another account": {object(func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(o.Object, "210987654321", "status", "ackResourceMetadata", "ownerAccountID")
		}), 0, false},
		"Bucket that nobody manages": {object(func(o *unstructured.Unstructured) {
			o.SetFinalizers(nil)
			delete(o.Object, "status")
		}), 0, false},
		"no role":                          {noRole, 0, false},
		"no inventory":                     {func(w *world, _ iam.Role) { w.project.Inventory.Found = false }, 0, false},
		"an inventory of others":           {func(w *world, _ iam.Role) { w.project.Inventory.Foreign = true }, 0, false},
		"ours":                             {func(w *world, own iam.Role) { w.aws.Answer(tagging, tagged(own.Tags)) }, 0, true},
		"tags of others":                   {foreign, 0, false},
		"our tags, a bit late":             {both(noRole, func(w *world, own iam.Role) { noTagsThen(w, own.Tags) }), 0, true},
		"tags of others, late":             {both(noRole, func(w *world, _ iam.Role) { noTagsThen(w, others) }), 0, false},
		"--adopt=bucket":                   {foreign, adopt.Bucket, true},
		"--adopt=tutorial":                 {foreign, adopt.Tutorial, true},
		"--adopt=tutorial, on its way out": {both(foreign, going), adopt.Tutorial, false},
		"--adopt=tutorial, of another tool": {func(w *world, _ iam.Role) {
			w.aws.Answer(tagging, tagged(map[string]string{render.TagManagedBy: "terraform"}))
		}, adopt.Tutorial, false},
		"S3 fails": {func(w *world, _ iam.Role) { w.aws.Refuse("HEAD demo-bucket", 500, "InternalError", "") }, 0, false},
	} {
		w, own := bucketThere(t)
		c.change(w, own)
		d, err := Prepare(t.Context(), w.project, Request{How: Guess, Now: time.Now, Adopt: c.adopt, Role: iam.RoleOptions{Name: own.Name}})
		if err != nil {
			t.Fatal(err)
		}
		found, err := lookAtBucket(t.Context(), d)
		if may := err == nil && found.refused == nil; may != c.may {
			t.Errorf("%s: %t, %+v, %v, %v", name, may, found.state, found.refused, err)
		}
	}
}

// TestForeignTagsOfSyncedBucket: --adopt=bucket alone changes nothing of a bucket that the
// controller has synced, so that the refusal would be the same after it.
func TestForeignTagsOfSyncedBucket(t *testing.T) {
	const release = "oc delete buckets.s3.services.k8s.aws demo-bucket -n demo\noc ostoy-s3 install -n demo --adopt=bucket"
	for name, c := range map[string]struct {
		change func(*world)
		tags   map[string]string
		anew   bool
	}{
		"of another cluster": {func(*world) {}, map[string]string{render.TagManagedBy: render.ManagedBy, render.TagIssuer: "https://old.example.com"}, true},
		"of a team":          {func(*world) {}, map[string]string{"team": "blue"}, true},
		"no Bucket resource": {func(w *world) { w.cluster.Refuse(bucketObjects, 404, "NotFound", "none") }, map[string]string{"team": "blue"}, false},
	} {
		w, own := bucketThere(t)
		w.aws.Answer(tagging, tagged(c.tags))
		c.change(w)
		d, err := Prepare(t.Context(), w.project, Request{How: Guess, Now: time.Now, Role: iam.RoleOptions{Name: own.Name}})
		if err != nil {
			t.Fatal(err)
		}
		if got := bucketFinding(t.Context(), d); got.Status != check.Failed || strings.Contains(got.Next, release) != c.anew || !strings.Contains(got.Next, "--adopt=bucket") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestBucketFinding: where neither tags nor role can be read it is not known whose a bucket
// is; tags of others are an answer.
func TestBucketFinding(t *testing.T) {
	for name, c := range map[string]struct {
		tags string // "": they may not be read
		role http.HandlerFunc
		want check.Status
	}{
		"neither can be read": {"", refuse(403, "AccessDenied"), check.NotAllowed},
		"no role":             {"", refuse(404, "NoSuchEntity"), check.Failed},
		"tags of others":      {tagged(map[string]string{"team": "blue"}), refuse(403, "AccessDenied"), check.Failed},
	} {
		w, own := bucketThere(t)
		w.rolesAre(map[string]http.HandlerFunc{own.Name: c.role})
		if c.tags != "" {
			w.aws.Answer(tagging, c.tags)
		}
		d, err := Prepare(t.Context(), w.project, Request{How: Guess, Now: time.Now, Role: iam.RoleOptions{Name: own.Name}})
		if err != nil {
			t.Fatal(err)
		}
		if got := bucketFinding(t.Context(), d); got.Status != c.want {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
	}
}
