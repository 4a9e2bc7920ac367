package check

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// reachWorld is a cluster with the policy, if it is served, and a controller.
func reachWorld(t *testing.T, exempt []string, kinds ...string) (*clustertest.Server, *live.World) {
	t.Helper()
	server := clustertest.New(t, "v1.33.0", append(kinds, "apps/v1/Deployment", BucketAPI+"/Bucket", "authorization.k8s.io/v1/SubjectAccessReview")...)
	conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	facts := render.Facts{Issuer: render.Fact{Value: "https://issuer.example.com"}}
	both := operator.AdmissionPolicy(facts, exempt)
	server.Answer("GET "+policyURL, both[0].Object)
	server.Answer("GET "+bindingURL, both[1].Object)
	prove(server, true)
	namespaceOf(server, "ack-system")
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

const reviewURL = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

// prove has the server say whether service accounts may do what a controller does.
func prove(server *clustertest.Server, allowed bool) {
	server.Answer("POST "+reviewURL, map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "status": map[string]any{"allowed": allowed},
	})
}

const (
	policyURL  = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/" + operator.PolicyName
	bindingURL = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/" + operator.PolicyName
	policyAPI  = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
)

// warning is the status of a policy whose expressions the API server warns of.
func warning(text string) map[string]any {
	return map[string]any{"typeChecking": map[string]any{"expressionWarnings": []any{map[string]any{"fieldRef": "spec.validations[0].expression", "warning": text}}}}
}

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
		return func(s *clustertest.Server) {
			s.Forbid("GET "+path, "get", resource, group, "")
			s.Forbid("POST "+path, "create", resource, group, "")
		}
	}
	without := func(s *clustertest.Server) {
		s.Answer("GET /apis/apps/v1/deployments", map[string]any{"apiVersion": "apps/v1", "kind": "DeploymentList", "items": []any{}})
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
		"warned of": {exempt: []string{ours}, change: func(s *clustertest.Server) {
			policy := operator.AdmissionPolicy(render.Facts{Issuer: render.Fact{Value: "https://issuer.example.com"}}, []string{ours})[0]
			policy.Object["status"] = warning("undefined field 'x'")
			s.Answer("GET "+policyURL, policy.Object)
		}, status: Warned, says: "spec.validations[0].expression: undefined field 'x'"},
		"an account without use": {exempt: []string{ours, "system:serviceaccount:gone:s3"}, status: Warned, says: "system:serviceaccount:gone:s3"},
		"mallory's Deployment":   {exempt: []string{ours}, change: func(s *clustertest.Server) { prove(s, false) }, status: Warned, says: ours},
		"nobody is proven":       {exempt: []string{ours}, change: forbidden(reviewURL, "subjectaccessreviews", "authorization.k8s.io"), status: NotAllowed, says: "create subjectaccessreviews"},
		"no controller is found": {exempt: []string{ours}, change: without, status: Passed},
		"no controller, no proof": {
			exempt: []string{ours}, status: Warned, says: "no controller was found among the Deployments",
			change: func(s *clustertest.Server) { without(s); prove(s, false) },
		},
		"no controller, not asked": {
			exempt: []string{ours}, status: NotAllowed, says: "create subjectaccessreviews",
			change: func(s *clustertest.Server) {
				without(s)
				forbidden(reviewURL, "subjectaccessreviews", "authorization.k8s.io")(s)
			},
		},
		"no controller, no policy": {status: Warned, says: "does not exist", change: func(s *clustertest.Server) { without(s); gone(policyURL)(s) }},
		"policy unread":            {change: forbidden(policyURL, "validatingadmissionpolicies", operator.AdmissionGroup), status: NotAllowed, says: "get validatingadmissionpolicies"},
		"binding unread":           {change: forbidden(bindingURL, "validatingadmissionpolicybindings", operator.AdmissionGroup), status: NotAllowed, says: "validatingadmissionpolicybindings"},
		"controllers unread":       {exempt: []string{ours}, change: forbidden("/apis/apps/v1/deployments", "deployments", "apps"), status: NotAllowed, says: "list deployments"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.kinds == nil {
				c.kinds = []string{policyAPI, policyAPI + "Binding"}
			}
			server, world := reachWorld(t, c.exempt, c.kinds...)
			if c.change != nil {
				c.change(server)
			}
			wants(t, name, policy(t.Context(), world), c.status, c.says)
		})
	}
}

// TestF1PolicyWithoutController: what a Bucket can reach is judged also where no
// controller is found, and not where the cluster does not know Buckets.
func TestF1PolicyWithoutController(t *testing.T) {
	all := All(nil, Sources{}, Target{Namespace: NamespaceEither})
	for _, id := range []string{IDBucketPolicy, IDBucketReach} {
		for _, c := range WithNeeds(all, []string{id}) {
			if c.ID == IDController {
				t.Errorf("%s needs %s", id, IDController)
			}
		}
	}
	server := clustertest.New(t, "v1.33.0", policyAPI, policyAPI+"Binding")
	conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "no Buckets", policy(t.Context(), &live.World{Conn: conn, Namespace: "demo"}), Skipped, "does not know Buckets")
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

// TestF1ControllerRole: a Deployment that nothing proves gives no verdict, and its role
// is not looked at.
func TestF1ControllerRole(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*clustertest.Server)
		status Status
		says   string
	}{
		"mallory's": {func(s *clustertest.Server) { prove(s, false) }, Skipped, "no controller was found whose service account"},
		"nobody is proven": {func(s *clustertest.Server) {
			s.Forbid("POST "+reviewURL, "create", "subjectaccessreviews", "authorization.k8s.io", "")
		}, NotAllowed, "create subjectaccessreviews"},
		"a role": {func(*clustertest.Server) {}, Skipped, "the controller's role real cannot be read"},
		"keys": {func(s *clustertest.Server) {
			s.Answer("GET /api/v1/namespaces/ack-system/pods", podsWith("AWS_ACCESS_KEY_ID"))
		}, Skipped, "AWS credentials that are not those of a role"},
	} {
		t.Run(name, func(t *testing.T) {
			server, world := reachWorld(t, nil, "v1/Pod", "v1/ServiceAccount")
			world.Facts.Account.Value = "123456789012"
			server.Answer("GET /api/v1/namespaces/ack-system/pods", podsWith())
			server.Answer("GET /api/v1/namespaces/ack-system/serviceaccounts/ack-s3-controller", map[string]any{
				"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{
					"name": "ack-s3-controller", "namespace": "ack-system",
					"annotations": map[string]any{"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/real"},
				},
			})
			c.change(server)
			wants(t, name, judgeControllerRole(t.Context(), world), c.status, c.says)
		})
	}
}

// podsWith is a list of one pod of the controller with variables.
func podsWith(names ...string) map[string]any {
	env := []any{}
	for _, name := range names {
		env = append(env, map[string]any{"name": name, "value": "x"})
	}
	return map[string]any{"apiVersion": "v1", "kind": "PodList", "items": []any{map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "p", "namespace": "ack-system"},
		"spec": map[string]any{"containers": []any{map[string]any{"name": "controller", "env": env}}},
	}}}
}

// TestF1MostLenient: which of several controllers is listed first decides nothing.
func TestF1MostLenient(t *testing.T) {
	refused, unknown := Refuse("a", "b", "c"), Leave("not known")
	for _, c := range []struct {
		findings []Finding
		want     Status
	}{
		{[]Finding{refused}, Failed},
		{[]Finding{refused, unknown}, Skipped},
		{[]Finding{unknown, refused}, Skipped},
		{[]Finding{refused, Pass(), unknown}, Passed},
		{[]Finding{unknown, Pass(), refused}, Passed},
		{[]Finding{Pass(), Fail(errors.New("broken"))}, Failed},
	} {
		if got := mostLenient(c.findings); got.Status != c.want {
			t.Errorf("%v: %v", c.findings, got.Status)
		}
	}
}

// TestF1WidenRole: the advice names the narrowest pattern that keeps what the role has,
// says what a wide one covers, and never advises a pattern that a role of others lacks.
func TestF1WidenRole(t *testing.T) {
	const install = "oc ostoy-s3 controller install --bucket-pattern "
	for _, c := range []struct {
		managed bool
		bucket  string
		reach   iam.Reach
		says    string
		not     string
	}{
		{true, "demo-bucket", iam.Reach{}, install + "demo-bucket", "*"},
		{true, "ostoy-1-bucket", iam.Reach{Patterns: []string{"ostoy-2-bucket"}}, install + "'ostoy-*-bucket'", "'*-bucket'"},
		{true, "demo-bucket", iam.Reach{Patterns: []string{"ostoy-*-bucket"}}, "also those not managed by ostoy-s3, a cluster admin runs: " + install + "'*-bucket'", ""},
		{true, "demo-bucket", iam.Reach{Patterns: []string{"team-*"}}, install + "PATTERN", "'*'"},
		{true, "demo-bucket", iam.Reach{Patterns: []string{"*-bucket"}, Within: []string{"ostoy-*"}}, "permissions boundary", install},
		{false, "demo-bucket", iam.Reach{Patterns: []string{"ostoy-*-bucket"}}, "ask who manages the controller", install},
	} {
		if got := WidenRole(c.managed, c.bucket, c.reach); !strings.Contains(got, c.says) || c.not != "" && strings.Contains(got, c.not) {
			t.Errorf("%+v:\n%s", c, got)
		}
	}
}
