package check

import (
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// reachWorld is a cluster with the policy, if it is served, and a controller.
func reachWorld(t *testing.T, exempt []string, kinds ...string) (*clustertest.Server, *live.World) {
	t.Helper()
	server := clustertest.New(t, "v1.33.0", append(kinds, "apps/v1/Deployment", BucketAPI+"/Bucket")...)
	conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	facts := render.Facts{Issuer: render.Fact{Value: "https://issuer.example.com"}}
	both := operator.AdmissionPolicy(facts, exempt)
	server.Answer("GET "+policyURL, both[0].Object)
	server.Answer("GET "+bindingURL, both[1].Object)
	server.Answer("GET /apis/apps/v1/deployments", map[string]any{
		"apiVersion": "apps/v1", "kind": "DeploymentList", "items": []any{map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment",
			"metadata": map[string]any{"name": "ack-s3-controller", "namespace": "ack-system", "labels": map[string]any{"app.kubernetes.io/name": "ack-s3-controller"}},
			"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
				"serviceAccountName": "ack-s3-controller",
				"containers":         []any{map[string]any{"name": "controller", "image": "public.ecr.aws/aws-controllers-k8s/s3-controller:1.13.0"}},
			}}},
		}},
	})
	return server, &live.World{Conn: conn, Namespace: "demo", Facts: facts}
}

const (
	policyURL  = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/" + operator.PolicyName
	bindingURL = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/" + operator.PolicyName
	policyAPI  = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
)

// TestF1Policy: the policy passes only where it was read, with its binding and the
// controllers that it exempts.
func TestF1Policy(t *testing.T) {
	ours := operator.AccountName("ack-system", "ack-s3-controller")
	gone := func(path string) func(*clustertest.Server) {
		return func(s *clustertest.Server) {
			s.Refuse("GET "+path, http.StatusNotFound, metav1.StatusReasonNotFound, "not found")
		}
	}
	bindingOf := func(field string, value any) func(*clustertest.Server) {
		return func(s *clustertest.Server) {
			binding := operator.AdmissionPolicy(render.Facts{}, nil)[1]
			binding.Object["spec"].(map[string]any)[field] = value
			s.Answer("GET "+bindingURL, binding.Object)
		}
	}
	forbidden := func(path, resource, group string) func(*clustertest.Server) {
		return func(s *clustertest.Server) { s.Forbid("GET "+path, "get", resource, group, "") }
	}
	for name, c := range map[string]struct {
		exempt []string
		kinds  []string
		change func(*clustertest.Server)
		status Status
		says   string
	}{
		"enforced":    {exempt: []string{ours}, status: Passed},
		"not served":  {kinds: []string{"v1/Pod"}, status: Warned, says: "does not serve ValidatingAdmissionPolicies"},
		"missing":     {exempt: []string{ours}, change: gone(policyURL), status: Warned, says: "does not exist"},
		"not bound":   {exempt: []string{ours}, change: gone(bindingURL), status: Warned, says: "not enforced"},
		"audits only": {exempt: []string{ours}, change: bindingOf("validationActions", []any{"Audit"}), status: Warned, says: "not enforced"},
		"bound in some projects": {
			exempt: []string{ours}, status: Warned, says: "not enforced",
			change: bindingOf("matchResources", map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"team": "a"}}}),
		},
		"changed": {exempt: []string{ours}, change: func(s *clustertest.Server) {
			policy := operator.AdmissionPolicy(render.Facts{}, []string{ours})[0]
			policy.Object["spec"].(map[string]any)["failurePolicy"] = "Ignore"
			s.Answer("GET "+policyURL, policy.Object)
		}, status: Warned, says: "differs from the rendered one"},
		"an account without use": {exempt: []string{ours, "system:serviceaccount:gone:s3"}, status: Warned, says: "system:serviceaccount:gone:s3"},
		"policy unread":          {change: forbidden(policyURL, "validatingadmissionpolicies", operator.AdmissionGroup), status: NotAllowed, says: "get validatingadmissionpolicies"},
		"binding unread":         {change: forbidden(bindingURL, "validatingadmissionpolicybindings", operator.AdmissionGroup), status: NotAllowed, says: "validatingadmissionpolicybindings"},
		"controllers unread":     {exempt: []string{ours}, change: forbidden("/apis/apps/v1/deployments", "deployments", "apps"), status: NotAllowed, says: "list deployments"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.kinds == nil {
				c.kinds = []string{policyAPI, policyAPI + "Binding"}
			}
			server, world := reachWorld(t, c.exempt, c.kinds...)
			if c.change != nil {
				c.change(server)
			}
			wants(t, name, controllerLook{world}.policy(t.Context()), c.status, c.says)
		})
	}
}

// TestF1Reach: a user who may not list all Buckets is told of this project's, and
// that the others were not looked at.
func TestF1Reach(t *testing.T) {
	list := func(pairs ...string) map[string]any {
		items := []any{}
		for n := 0; n < len(pairs); n += 2 {
			items = append(items, map[string]any{
				"apiVersion": BucketAPI, "kind": "Bucket",
				"metadata": map[string]any{"name": "b", "namespace": pairs[n]}, "spec": map[string]any{"name": pairs[n+1]},
			})
		}
		return map[string]any{"apiVersion": BucketAPI, "kind": "BucketList", "items": items}
	}
	const all, here = "/apis/" + BucketAPI + "/buckets", "/apis/" + BucketAPI + "/namespaces/demo/buckets"
	for name, c := range map[string]struct {
		all, here map[string]any // nil is forbidden
		status    Status
		says      string
	}{
		"own":               {all: list("demo", "demo-bucket", "shop", "shop--x-bucket"), status: Passed},
		"of another":        {all: list("demo", "demo-bucket", "mallory", "finance-bucket"), status: Warned, says: "mallory/b (S3 bucket finance-bucket)"},
		"not a name":        {all: list("mallory", "a;rm -rf"), status: Warned, says: "mallory/b (not a valid name of an S3 bucket)"},
		"only here":         {here: list("demo", "demo-bucket"), status: NotAllowed, says: "in all projects"},
		"only here, broken": {here: list("demo", "finance-bucket"), status: Warned, says: "demo/b (S3 bucket finance-bucket)"},
		"nowhere":           {status: NotAllowed, says: "in demo"},
	} {
		t.Run(name, func(t *testing.T) {
			server, world := reachWorld(t, nil)
			for path, answer := range map[string]map[string]any{all: c.all, here: c.here} {
				if answer == nil {
					server.Forbid("GET "+path, "list", "buckets", bucketGroup, "")
					continue
				}
				server.Answer("GET "+path, answer)
			}
			wants(t, name, bucketLook{world}.reach(t.Context()), c.status, c.says)
		})
	}
}
