package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	authorization "k8s.io/api/authorization/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

const versioned = `<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`

// TestCarry: the settings of an S3 bucket that is taken over are in the plan, one by one;
// what cannot stay is refused with the list before anything is written.
func TestCarry(t *testing.T) {
	many := map[string]string{}
	for n := range 46 {
		many[fmt.Sprintf("tag%02d", n)] = "x"
	}
	others := map[string]string{"team": "blue", "services.k8s.aws/namespace": "x", "ostoy-s3/namespace": "elsewhere"}
	for name, c := range map[string]struct {
		tags    map[string]string
		answers map[string]string
		denied  string
		keeps   []string
		becomes []string
		refused string
	}{
		"nothing":          {},
		"tags":             {tags: others, keeps: []string{"tag team"}, becomes: []string{"tag ostoy-s3/namespace: elsewhere → demo"}},
		"too many tags":    {tags: many, refused: "1 of its 46 tags: S3 allows 50"},
		"settings":         {tags: others, answers: map[string]string{"versioning": versioned, "accelerate": `<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>`}, keeps: []string{"accelerate", "versioning", "tag team"}, becomes: []string{"tag ostoy-s3/namespace: elsewhere → demo"}},
		"one that is lost": {tags: others, answers: map[string]string{"versioning": versioned, "policy": `{"Statement":[{}]}`}, refused: "the bucket policy. These would stay: versioning, tag team"},
		"a tag of AWS":     {tags: map[string]string{"aws:cloudformation:stack-name": "x"}, refused: "tag aws:cloudformation:stack-name, which only AWS writes"},
		"one unseen":       {denied: "lifecycle", refused: "Not known, because AWS does not let you read them: lifecycle rules (needs s3:GetLifecycleConfiguration)."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.aws.Answer("HEAD demo-bucket", "")
			w.aws.Answer(tagging, tagged(c.tags))
			w.aws.Answer("GET demo-bucket", "<ListBucketResult></ListBucketResult>")
			for part, answer := range c.answers {
				w.aws.Answer("GET demo-bucket?"+part, answer)
			}
			if c.denied != "" {
				w.aws.Refuse("GET demo-bucket?"+c.denied, http.StatusForbidden, "AccessDenied", "no")
			}
			compared, err := w.plan(t, Request{Adopt: adopt.Bucket, How: Compare})
			if err != nil {
				t.Fatal(err)
			}
			if refused := compared.Refused(t.Context()); (refused != nil) != (c.refused != "") || refused != nil && !strings.Contains(reasonsOf(refused), c.refused) {
				t.Errorf("compared: %v", refused)
			}
			if c.refused == "" && (compared.Before.Bucket == nil || !slices.Equal(compared.Before.Bucket.Keeps, c.keeps)) {
				t.Errorf("compared: %+v", compared.Before.Bucket)
			}
			p, err := w.plan(t, Request{Adopt: adopt.Bucket})
			var told *problem.Error
			switch errors.As(err, &told); {
			case c.refused != "":
				if told == nil || told.Kind != problem.Refused || !strings.Contains(told.Why, c.refused) || told.More != bucket.MoreForeign {
					t.Errorf("%v", err)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			if p.Before.Bucket == nil || !slices.Equal(p.Before.Bucket.Keeps, c.keeps) || !slices.Equal(p.Before.Bucket.Becomes, c.becomes) {
				t.Errorf("%+v", p.Before.Bucket)
			}
			if carries := slices.ContainsFunc(p.Objects.Items, (*apply.Item).Carries); carries != (len(c.keeps) > 0) {
				t.Errorf("it carries: %v", carries)
			}
		})
	}
}

// reasonsOf are several problems as one text.
func reasonsOf(err error) string {
	text := ""
	if several, is := errors.AsType[*problem.Several](err); is {
		for _, one := range several.Problems {
			text += one.What + ": " + one.Why + "\n"
		}
	}
	return text
}

// TestMayCarry: what the admission policy does not allow a Bucket takes the permission to
// bypass it; without a policy, and for what it allows, nothing more is needed.
func TestMayCarry(t *testing.T) {
	versioning, lifecycle := map[string]any{"versioning": map[string]any{"status": "Enabled"}}, map[string]any{"lifecycle": map[string]any{}}
	for name, c := range map[string]struct {
		spec              map[string]any
		tags              map[string]string
		policy, mayBypass bool
		want              bool
	}{
		"what it allows":           {spec: versioning, policy: true, want: true},
		"what it does not":         {spec: lifecycle, policy: true},
		"tags of others":           {tags: map[string]string{"team": "blue"}, policy: true, want: true},
		"by somebody who may":      {spec: lifecycle, policy: true, mayBypass: true, want: true},
		"where there is no policy": {spec: lifecycle, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			server := clustertest.New(t, "v1.33.0", "authorization.k8s.io/v1/SelfSubjectAccessReview", "s3.services.k8s.aws/v1alpha1/Bucket",
				"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding")
			server.Handle("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", func(out http.ResponseWriter, r *http.Request) {
				review := authorization.SelfSubjectAccessReview{}
				_ = json.NewDecoder(r.Body).Decode(&review)
				a := review.Spec.ResourceAttributes
				review.Status.Allowed = c.mayBypass && a.Verb == "bypass" && a.Resource == "validatingadmissionpolicies" && a.Name == operator.PolicyName
				out.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(out).Encode(review)
			})
			both := operator.AdmissionPolicy(w.project.Facts, nil)
			for n, path := range []string{"validatingadmissionpolicies", "validatingadmissionpolicybindings"} {
				path = "GET /apis/admissionregistration.k8s.io/v1/" + path + "/" + operator.PolicyName
				if server.Answer(path, both[n].Object); !c.policy {
					server.Refuse(path, http.StatusNotFound, "NotFound", "none")
				}
			}
			conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
			if err != nil {
				t.Fatal(err)
			}
			w.project.State.Exists = false
			p, err := w.plan(t, Request{})
			if err != nil {
				t.Fatal(err)
			}
			p.Desired.Project.Conn, p.Desired.World = conn, &live.World{Conn: conn, Namespace: "demo", Facts: w.project.Facts}
			err = mayCarry(t.Context(), p, c.spec, c.tags)
			if may := err == nil; may != c.want {
				t.Errorf("%v", err)
			}
			if told := (*problem.Error)(nil); err != nil && (!errors.As(err, &told) || told.Kind != problem.Refused || !strings.Contains(told.Next, "--adopt=bucket")) {
				t.Errorf("%+v", told)
			}
		})
	}
}
