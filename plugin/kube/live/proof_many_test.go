package live_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	authorization "k8s.io/api/authorization/v1"
)

const clusterBindingsURL = "GET /apis/rbac.authorization.k8s.io/v1/clusterrolebindings"

// TestF6ManyDeployments: an editor who creates a thousand Deployments makes nobody ask
// about each: only service accounts that a ClusterRoleBinding reaches can be proven.
func TestF6ManyDeployments(t *testing.T) {
	const real = "system:serviceaccount:real:ack"
	users := []string{real, "system:serviceaccount:team:any"}
	for n := range 1000 {
		users = append(users, fmt.Sprintf("system:serviceaccount:mallory:a%d", n))
	}
	subject := func(kind, namespace, name string) map[string]any {
		return map[string]any{"metadata": map[string]any{"name": name}, "subjects": []any{map[string]any{"kind": kind, "namespace": namespace, "name": name}}}
	}
	for name, c := range map[string]struct {
		bindings []any
		allowed  func(authorization.SubjectAccessReviewSpec) bool
		refused  bool
		want     []string
		most     int
	}{
		"by its name": {[]any{subject("ServiceAccount", "real", "ack"), subject("ServiceAccount", "other", "x")}, func(s authorization.SubjectAccessReviewSpec) bool { return s.User == real }, false, []string{real}, 3},
		"by a user":   {[]any{subject("User", "", real)}, func(s authorization.SubjectAccessReviewSpec) bool { return s.User == real }, false, []string{real}, 3},
		"by its group": {[]any{subject("Group", "", "system:serviceaccounts:team"), subject("Group", "", "system:authenticated")}, func(s authorization.SubjectAccessReviewSpec) bool {
			return slices.Contains(s.Groups, "system:serviceaccounts:team")
		}, false, []string{users[1]}, 5},
		"mallory's":      {nil, func(s authorization.SubjectAccessReviewSpec) bool { return false }, false, nil, 1},
		"all":            {[]any{subject("Group", "", "system:serviceaccounts")}, func(authorization.SubjectAccessReviewSpec) bool { return true }, false, users, 2 + 2*len(users)},
		"cannot be seen": {nil, func(s authorization.SubjectAccessReviewSpec) bool { return s.User == real }, true, []string{real}, 1 + len(users)},
	} {
		t.Run(name, func(t *testing.T) {
			server, world := worldOf(t)
			server.Answer(clusterBindingsURL, map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBindingList", "metadata": map[string]any{}, "items": c.bindings})
			if c.refused {
				server.Forbid(clusterBindingsURL, "list", "clusterrolebindings", "rbac.authorization.k8s.io", "")
			}
			server.Handle(mayURL, func(w http.ResponseWriter, r *http.Request) {
				review := authorization.SubjectAccessReview{}
				_ = json.NewDecoder(r.Body).Decode(&review)
				review.Status.Allowed = c.allowed(review.Spec)
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(review)
			})
			proven, err := world.ProvenAccounts(t.Context(), users)
			if err != nil || len(proven) != len(users) {
				t.Fatalf("%d, %v", len(proven), err)
			}
			var got []string
			for _, user := range users {
				if proven[user] {
					got = append(got, user)
				}
			}
			if asked := server.Requests()[mayURL]; !slices.Equal(got, c.want) || asked > c.most {
				t.Errorf("%d proven of %d, after %d reviews of at most %d", len(got), len(c.want), asked, c.most)
			}
		})
	}
}
