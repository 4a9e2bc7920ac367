package check

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

const rbacURL = "/apis/rbac.authorization.k8s.io/v1/"

// namespaceOf answers with a namespace in which these users may create pods.
func namespaceOf(server *clustertest.Server, name string, users ...string) {
	server.Answer("GET /api/v1/namespaces/"+name, map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}})
	bindings := []any{}
	for _, user := range users {
		bindings = append(bindings, map[string]any{
			"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": map[string]any{"name": "of-" + user, "namespace": name},
			"roleRef": map[string]any{"kind": "ClusterRole", "name": "edit"}, "subjects": []any{map[string]any{"kind": "User", "name": user}},
		})
	}
	server.Answer("GET "+rbacURL+"namespaces/"+name+"/rolebindings", map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBindingList", "items": bindings})
	server.Answer("GET "+rbacURL+"clusterroles/edit", map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": map[string]any{"name": "edit"},
		"rules": []any{map[string]any{"apiGroups": []any{""}, "resources": []any{"pods"}, "verbs": []any{"create"}}},
	})
}

// TestF1PolicyEachNamespace: what is found in one namespace does not hide what is found in
// another, and the worst decides.
func TestF1PolicyEachNamespace(t *testing.T) {
	accounts := []string{operator.AccountName("ack-system", "ack-s3-controller"), operator.AccountName("b", "s3"), operator.AccountName("c", "s3")}
	server, world := reachWorld(t, accounts, policyAPI, policyAPI+"Binding")
	server.Answer("GET /apis/apps/v1/deployments", map[string]any{"apiVersion": "apps/v1", "kind": "DeploymentList", "items": []any{}})
	server.Handle("POST "+reviewURL, func(w http.ResponseWriter, r *http.Request) {
		review := authorization.SubjectAccessReview{}
		_ = json.NewDecoder(r.Body).Decode(&review)
		review.APIVersion, review.Kind = "authorization.k8s.io/v1", "SubjectAccessReview"
		review.Status.Allowed = strings.HasPrefix(review.Spec.User, "system:serviceaccount:")
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	})
	namespaceOf(server, "b", "mallory")
	namespaceOf(server, "c", "eve")
	server.Forbid("GET "+rbacURL+"namespaces/ack-system/rolebindings", "list", "rolebindings", "rbac.authorization.k8s.io", "")
	got := policy(t.Context(), world)
	for _, says := range []string{
		"user mallory (RoleBinding of-mallory)", "oc delete -n b rolebinding/of-mallory", "user eve (RoleBinding of-eve)", "oc delete -n c rolebinding/of-eve",
		"not allowed: needs list rolebindings.rbac.authorization.k8s.io in ack-system",
	} {
		wants(t, "all", got, Warned, says)
	}

	server.Refuse("GET "+rbacURL+"namespaces/b/rolebindings", http.StatusBadRequest, metav1.StatusReasonBadRequest, "no")
	failed := &live.World{Conn: world.Conn, Namespace: "demo", Facts: world.Facts}
	if got = policy(t.Context(), failed); got.Status != Failed || got.Err == nil || !strings.Contains(got.Why, "user eve") || !strings.Contains(got.Why, "not allowed: needs list rolebindings") {
		t.Errorf("%+v", got)
	}
}

// TestF1PolicyNamespaces: the policy does not hold where a user can act as a controller
// that it exempts.
func TestF1PolicyNamespaces(t *testing.T) {
	ours := operator.AccountName("ack-system", "ack-s3-controller")
	for name, c := range map[string]struct {
		change func(*clustertest.Server)
		status Status
		says   string
	}{
		"nobody":        {func(*clustertest.Server) {}, Passed, ""},
		"an admin":      {func(s *clustertest.Server) { namespaceOf(s, "ack-system", "the-admin") }, Passed, ""},
		"a user":        {func(s *clustertest.Server) { namespaceOf(s, "ack-system", "mallory") }, Warned, "user mallory (RoleBinding of-mallory)"},
		"how to revoke": {func(s *clustertest.Server) { namespaceOf(s, "ack-system", "mallory") }, Warned, "oc delete -n ack-system rolebinding/of-mallory"},
		"types are warned of": {func(s *clustertest.Server) {
			policy := operator.AdmissionPolicy(render.Facts{Issuer: render.Fact{Value: "https://issuer.example.com"}}, []string{ours})[0]
			policy.Object["status"] = warning("undefined field 'x'")
			s.Answer("GET "+policyURL, policy.Object)
			namespaceOf(s, "ack-system", "mallory")
		}, Warned, "user mallory (RoleBinding of-mallory)"},
		"the policy is missing": {func(s *clustertest.Server) {
			s.Refuse("GET "+policyURL, http.StatusNotFound, metav1.StatusReasonNotFound, "not found")
			s.Refuse("GET "+bindingURL, http.StatusNotFound, metav1.StatusReasonNotFound, "not found")
			namespaceOf(s, "ack-system", "mallory")
		}, Warned, "user mallory (RoleBinding of-mallory)"},
		"bindings unread": {func(s *clustertest.Server) {
			s.Forbid("GET "+rbacURL+"namespaces/ack-system/rolebindings", "list", "rolebindings", "rbac.authorization.k8s.io", "")
		}, NotAllowed, "list rolebindings.rbac.authorization.k8s.io in ack-system"},
	} {
		t.Run(name, func(t *testing.T) {
			server, world := reachWorld(t, []string{ours}, policyAPI, policyAPI+"Binding")
			server.Handle("POST "+reviewURL, func(w http.ResponseWriter, r *http.Request) {
				review := authorization.SubjectAccessReview{}
				_ = json.NewDecoder(r.Body).Decode(&review)
				review.APIVersion, review.Kind = "authorization.k8s.io/v1", "SubjectAccessReview"
				review.Status.Allowed = review.Spec.User != "mallory"
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(review)
			})
			c.change(server)
			wants(t, name, policy(t.Context(), world), c.status, c.says)
		})
	}
}

// TestF1UnprovenDeployment: a Deployment of a user who only looks like a controller does
// not turn what you are not allowed to see into a verdict about the controller outside of
// the cluster.
func TestF1UnprovenDeployment(t *testing.T) {
	server, world := reachWorld(t, []string{operator.AccountName("outside", "s3")}, policyAPI, policyAPI+"Binding")
	namespaceOf(server, "outside")
	server.Forbid("POST "+reviewURL, "create", "subjectaccessreviews", "authorization.k8s.io", "")
	wants(t, "unproven", policy(t.Context(), world), NotAllowed, "create subjectaccessreviews")
}
