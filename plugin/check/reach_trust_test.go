package check

import (
	"encoding/json"
	"net/http"
	"testing"

	authorization "k8s.io/api/authorization/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster/clustertest"
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
			wants(t, name, controllerLook{world}.policy(t.Context()), c.status, c.says)
		})
	}
}
