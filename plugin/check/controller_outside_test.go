package check

import (
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// bucketTags answers with these tags of the bucket.
func bucketTags(s *awstest.Server, tags map[string]string) {
	set := ""
	for key, value := range tags {
		set += "<Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag>"
	}
	s.Answer("GET demo-bucket?tagging", "<Tagging><TagSet>"+set+"</TagSet></Tagging>")
}

// TestControllerOutside: a synced Bucket of this install that S3 confirms shows that a
// controller works outside of the cluster: a warning, and nothing advises a second one.
// A status alone, which an editor of the project can write, shows nothing.
func TestControllerOutside(t *testing.T) {
	const synced, unsynced = `{type: Ready, status: "True"}`, `{type: Ready, status: "False"}`
	facts := identityFacts()
	facts.Region = render.Fact{Value: awstest.Region}
	ours := map[string]string{render.TagManagedBy: render.ManagedBy, render.TagIssuer: facts.Issuer.Value, render.TagNamespace: "demo"}
	inS3 := func(s *awstest.Server) {
		s.Handle("HEAD demo-bucket", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Amz-Expected-Bucket-Owner") != awstest.Account {
				t.Error("S3 is not asked whose the bucket is")
			}
		})
		bucketTags(s, ours)
	}
	for name, c := range map[string]struct {
		bucket string // the conditions of the Bucket, "" if there is none
		s3     func(*awstest.Server)
		want   Status
	}{
		"S3 confirms it":            {synced, inS3, Warned},
		"another setting, or drift": {synced + `, {type: ACK.Advisory, status: "True"}`, inS3, Warned},
		"its tags may not be read": {synced, func(s *awstest.Server) {
			inS3(s)
			s.Refuse("GET demo-bucket?tagging", http.StatusForbidden, "AccessDenied", "no")
		}, Warned},
		"not in S3": {synced, func(s *awstest.Server) {
			s.Refuse("HEAD demo-bucket", http.StatusNotFound, "NotFound", "")
			s.Refuse("GET demo-bucket?tagging", http.StatusNotFound, "NoSuchBucket", "")
		}, Failed},
		"of another account": {synced, func(s *awstest.Server) {
			s.Refuse("HEAD demo-bucket", http.StatusForbidden, "Forbidden", "")
			s.Refuse("GET demo-bucket?tagging", http.StatusForbidden, "AccessDenied", "no")
			s.Answer("GET ", "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>")
		}, Failed},
		"of another install": {synced, func(s *awstest.Server) { inS3(s); bucketTags(s, map[string]string{"team": "a"}) }, Failed},
		"not synced":         {unsynced, inS3, Failed},
		"no Bucket":          {"", inS3, Failed},
	} {
		t.Run(name, func(t *testing.T) {
			server, world := reachWorld(t, nil, policyAPI, policyAPI+"Binding")
			deploymentsAre(server)
			var items []any
			if c.bucket != "" {
				items = append(items, demoBucket(t, `{spec: {name: demo-bucket, versioning: {status: Enabled}}, status: {conditions: [`+c.bucket+`]}}`).Object)
			}
			server.Answer("GET /apis/"+BucketAPI+"/namespaces/demo/buckets", map[string]any{"apiVersion": BucketAPI, "kind": "BucketList", "metadata": map[string]any{}, "items": items})
			server.Refuse("GET "+policyURL, http.StatusNotFound, metav1.StatusReasonNotFound, "not found")
			played := awstest.New(t)
			c.s3(played)
			world.Facts, world.Buckets = facts, bucket.New(played.Config())

			found := controllerLook{world}.found(t.Context())
			wants(t, "check", found, c.want, "outside this cluster")
			before := Target{World: world}.controller(t.Context())
			wants(t, "before an install", before, Warned, "outside this cluster")
			admission := policy(t.Context(), world)
			wants(t, "the admission policy", admission, Warned, "does not exist")
			for _, one := range []Finding{found, before, admission} {
				if advises := strings.Contains(one.Next, "controller install"); advises != (c.want == Failed) {
					t.Errorf("advice to install a controller: %v, %+v", advises, one)
				}
			}
		})
	}
}
