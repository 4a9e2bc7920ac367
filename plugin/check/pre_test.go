package check

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	authorization "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	rulesPath  = "POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
	accessPath = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
	adminPath  = "GET /apis/rbac.authorization.k8s.io/v1/clusterroles/admin"
)

// openshift plays a cluster and a target in namespace demo of it.
func openshift(t *testing.T, more ...string) (*clustertest.Server, Target) {
	t.Helper()
	kinds := append([]string{
		"v1/Secret", "v1/Pod", "v1/Namespace",
		"authorization.k8s.io/v1/SelfSubjectRulesReview", "authorization.k8s.io/v1/SelfSubjectAccessReview",
		"rbac.authorization.k8s.io/v1/ClusterRole",
	}, more...)
	server := clustertest.New(t, "v1.33.0", append(kinds, policyAPI, policyAPI+"Binding")...)
	conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	facts := render.Facts{Namespace: render.Fact{Value: "demo"}}
	return server, Target{Facts: facts, Conn: conn, Objects: []*unstructured.Unstructured{
		object("v1", "Secret"), object(BucketAPI, "Bucket"),
	}}
}

func object(apiVersion, kind string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": "x"}}}
}

// rules answers the rules review.
func rules(server *clustertest.Server, rules ...authorization.ResourceRule) {
	review := &authorization.SelfSubjectRulesReview{Status: authorization.SubjectRulesReviewStatus{ResourceRules: rules}}
	review.APIVersion, review.Kind = "authorization.k8s.io/v1", "SelfSubjectRulesReview"
	server.Answer(rulesPath, review)
}

// reviews answers access reviews: yes for what is listed as "verb resource".
func reviews(server *clustertest.Server, allowed ...string) {
	server.Handle(accessPath, func(w http.ResponseWriter, r *http.Request) {
		review := &authorization.SelfSubjectAccessReview{}
		if err := json.NewDecoder(r.Body).Decode(review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		asked := review.Spec.ResourceAttributes
		for _, one := range allowed {
			review.Status.Allowed = review.Status.Allowed || one == asked.Verb+" "+asked.Resource
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	})
}

func TestClusterRights(t *testing.T) {
	all := authorization.ResourceRule{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}
	noBuckets := authorization.ResourceRule{Verbs: []string{"*"}, APIGroups: []string{""}, Resources: []string{"*"}}
	oneName := all
	oneName.ResourceNames = []string{"only-this"}

	t.Run("one review is enough where it shows everything", func(t *testing.T) {
		server, target := openshift(t, BucketAPI+"/Bucket")
		rules(server, all)
		if finding := target.clusterRights(t.Context()); finding.Status != Passed {
			t.Errorf("%+v", finding)
		}
		if asked := server.Requests(); asked[rulesPath] != 1 || asked[accessPath] != 0 {
			t.Errorf("asked %v", asked)
		}
	})
	t.Run("what the rules do not show is asked, and that answer counts", func(t *testing.T) {
		server, target := openshift(t, BucketAPI+"/Bucket")
		rules(server, noBuckets, oneName)
		reviews(server, "get buckets", "create buckets", "patch buckets", "list buckets", "watch buckets")
		if finding := target.clusterRights(t.Context()); finding.Status != Passed {
			t.Errorf("%+v", finding)
		}
		if asked := server.Requests()[accessPath]; asked != 5 {
			t.Errorf("%d access reviews, want one for each right on Buckets", asked)
		}
	})
	t.Run("what is waited for may be watched", func(t *testing.T) {
		server, target := openshift(t, BucketAPI+"/Bucket", "networking.k8s.io/v1/Ingress")
		target.Objects = append(target.Objects, object("networking.k8s.io/v1", "Ingress"))
		rules(server, noBuckets)
		reviews(server, "get buckets", "create buckets", "patch buckets", "list buckets", "watch buckets", "get ingresses", "create ingresses", "patch ingresses")
		if finding := target.clusterRights(t.Context()); finding.Why != "not allowed: list ingresses.networking.k8s.io, watch ingresses.networking.k8s.io" {
			t.Errorf("%+v", finding)
		}
	})
	t.Run("every missing right is named", func(t *testing.T) {
		server, target := openshift(t, BucketAPI+"/Bucket")
		rules(server, noBuckets)
		reviews(server, "get buckets", "list buckets", "watch buckets")
		finding := target.clusterRights(t.Context())
		for _, want := range []string{"create buckets.s3.services.k8s.aws", "patch buckets.s3.services.k8s.aws"} {
			if !strings.Contains(finding.Why, want) {
				t.Errorf("does not name %s: %+v", want, finding)
			}
		}
		if finding.Status != Failed || !strings.Contains(finding.Next, "oc ostoy-s3 controller install") {
			t.Errorf("does not say what an admin does: %+v", finding)
		}
	})
}

func TestProjectRights(t *testing.T) {
	holds := map[string]any{"apiGroups": []any{"s3.services.k8s.aws"}, "resources": []any{"buckets"}, "verbs": []any{"create", "patch"}}
	role := func(rules ...any) map[string]any {
		return map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": map[string]any{"name": "admin"}, "rules": rules}
	}
	for name, c := range map[string]struct {
		allowed []string
		admin   map[string]any // nil: may not be read
		want    Status
		says    string
	}{
		"cluster admin":                {[]string{"create projectrequests", "create buckets"}, role(), Passed, ""},
		"project admin, aggregated":    {[]string{"create projectrequests"}, role(holds), Passed, ""},
		"project admin, no aggregate":  {[]string{"create projectrequests"}, role(), Failed, "oc ostoy-s3 controller install"},
		"the role may not be read":     {[]string{"create projectrequests"}, nil, Warned, ""},
		"may not request any projects": {nil, role(holds), Failed, "ask for a project"},
	} {
		t.Run(name, func(t *testing.T) {
			server, target := openshift(t, BucketAPI+"/Bucket", "project.openshift.io/v1/ProjectRequest")
			reviews(server, c.allowed...)
			if c.admin != nil {
				server.Answer(adminPath, c.admin)
			} else {
				server.Forbid(adminPath, "get", "clusterroles", "rbac.authorization.k8s.io", "at the cluster scope")
			}
			finding := target.projectRights(t.Context())
			if finding.Status == Failed && c.allowed == nil && !strings.Contains(finding.Why, "project demo is not there, or you may not see it") {
				t.Errorf("does not say that demo may be there: %+v", finding)
			}
			if finding.Status != c.want || !strings.Contains(finding.Next, c.says) {
				t.Errorf("%+v, want %s", finding, c.want)
			}
		})
	}
	t.Run("plain kubernetes asks for namespaces", func(t *testing.T) {
		server, target := openshift(t, BucketAPI+"/Bucket")
		reviews(server, "create buckets")
		server.Answer(adminPath, role())
		if finding := target.projectRights(t.Context()); !strings.Contains(finding.Why, "create namespaces") {
			t.Errorf("%+v", finding)
		}
	})
}

func TestBucketCRD(t *testing.T) {
	_, target := openshift(t)
	if finding := target.bucketCRD(t.Context()); finding.Status != Failed || !strings.Contains(finding.Why, "ACK S3 controller") {
		t.Errorf("without the CRD: %+v", finding)
	}
	_, world := reachWorld(t, nil)
	target.Rules.World = world
	if finding := target.bucketCRD(t.Context()); finding.Status != Failed || !strings.Contains(finding.Why, "ack-s3-controller -n ack-system is installed") ||
		strings.Contains(finding.Next, "oc ostoy-s3") {
		t.Errorf("with a controller: %+v", finding)
	}
	_, target = openshift(t, BucketAPI+"/Bucket")
	if finding := target.bucketCRD(t.Context()); finding.Status != Passed {
		t.Errorf("with the CRD: %+v", finding)
	}
}

// TestEveryCheckHasItsPage: the page a message points to is there.
func TestEveryCheckHasItsPage(t *testing.T) {
	checks := append(Pre(Target{Namespace: NamespaceExists}), Pre(Target{Namespace: NamespaceMissing})...)
	for _, c := range checks {
		if _, err := os.Stat(filepath.Join("..", "..", c.Page())); err != nil {
			t.Errorf("check %s: %v", c.ID, err)
		}
		if c.Title == "" {
			t.Errorf("check %s has no title", c.ID)
		}
	}
}

// TestOnePage: of every check, install names the page that check names for the same finding,
// be it the check's own or the one of the cause.
func TestOnePage(t *testing.T) {
	const cause = "docs/checks/bucket-foreign.md"
	for _, c := range All(nil, Sources{}, Target{Namespace: NamespaceEither}) {
		for want, finding := range map[string]Finding{
			c.Page(): Refuse("it is wrong", "so", "do"),
			cause:    Fail(problem.Refuse("it is wrong", "so", "do").See(cause)),
		} {
			outcome := Outcome{c, finding}
			if outcome.Page() != want || outcome.Problem().More != want {
				t.Errorf("%s: check names %s, install %s, want %s", c.ID, outcome.Page(), outcome.Problem().More, want)
			}
		}
	}
}
