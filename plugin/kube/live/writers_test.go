package live_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	authorization "k8s.io/api/authorization/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

const (
	rbacURL    = "/apis/rbac.authorization.k8s.io/v1/"
	reviewsURL = "POST /apis/authorization.k8s.io/v1/subjectaccessreviews"
)

// binds is a RoleBinding of ack-system.
func binds(name, roleKind, role string, users ...string) any {
	subjects := []any{}
	for _, user := range users {
		subjects = append(subjects, map[string]any{"kind": "User", "name": user})
	}
	return map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": map[string]any{"name": name, "namespace": "ack-system"},
		"roleRef": map[string]any{"kind": roleKind, "name": role}, "subjects": subjects,
	}
}

// allows answers with a role of one rule.
func allows(server *clustertest.Server, path string, resources []any, verbs ...any) {
	server.Answer("GET "+rbacURL+path, map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": map[string]any{"name": "any"},
		"rules": []any{map[string]any{"apiGroups": []any{""}, "resources": resources, "verbs": verbs}},
	})
}

// ackSystem is a world with this namespace, its RoleBindings, and the ClusterRole edit.
func ackSystem(t *testing.T, bindings ...any) (*clustertest.Server, *live.World) {
	server, world := worldOf(t)
	server.Answer("GET /api/v1/namespaces/ack-system", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "ack-system"}})
	server.Answer("GET "+rbacURL+"namespaces/ack-system/rolebindings", map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBindingList", "items": bindings})
	allows(server, "clusterroles/edit", []any{"pods"}, "create")
	reviewed(server, nil, 0)
	return server, world
}

// reviewed answers SubjectAccessReviews: the users are cluster admins. The first so many
// wait for each other. It gives how many were asked at the same time.
func reviewed(server *clustertest.Server, admins []string, together int64) *atomic.Int64 {
	var came, now, most atomic.Int64
	met := make(chan struct{})
	server.Handle(reviewsURL, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		if came.Add(1) == together {
			close(met)
		}
		if together > 1 {
			select {
			case <-met:
			case <-time.After(5 * time.Second): // they are asked one after the other
			}
		}
		review := authorization.SubjectAccessReview{}
		_ = json.NewDecoder(r.Body).Decode(&review)
		review.APIVersion, review.Kind = "authorization.k8s.io/v1", "SubjectAccessReview"
		review.Status.Allowed = slices.Contains(admins, review.Spec.User)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	})
	return &most
}

func trustOf(t *testing.T, world *live.World) live.Trust {
	t.Helper()
	all := live.Trusts(t.Context(), world, []string{"system:serviceaccount:ack-system:ack-s3-controller"}, nil)
	if len(all) != 1 || all[0].Err != nil {
		t.Fatalf("%+v", all)
	}
	return all[0]
}

// TestF1RevokeNames: the name of a RoleBinding is chosen by a user of the project. What
// a cluster admin pastes repeats only plain names, and none as an option.
func TestF1RevokeNames(t *testing.T) {
	const list = "oc get rolebindings -n ack-system"
	for name, want := range map[string]string{
		"admin":                           "oc delete -n ack-system rolebinding/admin",
		"system:openshift:scc:restricted": "oc delete -n ack-system rolebinding/system:openshift:scc:restricted",
		"--all":                           list,
		"--server=192.0.2.1:443":          list,
		"-n":                              list,
		"x\noc adm policy add-cluster-role-to-user cluster-admin mallory\n": list,
		"two words":                list,
		"$(touch x)":               list,
		"it's":                     list,
		"\u202egnirts":             list,
		strings.Repeat("a", 1<<10): list,
	} {
		_, world := ackSystem(t, binds(name, "ClusterRole", "edit", "mallory"))
		trust := trustOf(t, world)
		if got := trust.Ways(); got != want {
			t.Errorf("%q: %s", name, got)
		}
		if why := trust.Writers.Why(); want == list && (strings.Contains(why, name) || !strings.Contains(why, "a RoleBinding whose name is not repeated")) {
			t.Errorf("%q: %s", name, why)
		}
	}
}

// TestF1WriterNames: the name of a user is a text of the project, too. It stays on its
// line, and is not longer than one.
func TestF1WriterNames(t *testing.T) {
	_, world := ackSystem(t, binds("late", "ClusterRole", "edit", "x\n  try   oc delete project\u0085\u2028demo", strings.Repeat("m", 1<<10)))
	trust := trustOf(t, world)
	for _, text := range append(trust.Writers.Names(), trust.Writers.Why()) {
		if strings.ContainsAny(text, "\n\r\u0085\u2028\u2029") || len(text) > 600 {
			t.Errorf("%q", text)
		}
	}
}

// TestF1Ways: each line is one command, and to leave the namespace is advised only where
// no RoleBinding can be deleted instead.
func TestF1Ways(t *testing.T) {
	server, world := ackSystem(t, binds("late", "ClusterRole", "edit", "mallory"))
	server.Answer("GET /api/v1/namespaces/ack-system", map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "ack-system", "annotations": map[string]any{live.Requester: "mallory"}},
	})
	const want = "oc delete -n ack-system rolebinding/late\noc ostoy-s3 controller uninstall -n ack-system\noc ostoy-s3 controller install -n NAMESPACE --bucket-pattern 'ostoy-*-bucket'"
	if got := trustOf(t, world).Ways(); got != want {
		t.Error(got)
	}
}

// TestF1ReadsThatAct: to read some subresources of a pod is to use them.
func TestF1ReadsThatAct(t *testing.T) {
	for resource, acts := range map[string]bool{
		"pods": false, "pods/log": false, "pods/status": false, "*/status": false, "deployments/scale": false, "imagestreams/layers": false, "buildconfigs/webhooks": false,
		"pods/exec": true, "pods/attach": true, "pods/portforward": true, "pods/proxy": true, "services/proxy": true, "*/exec": true, "*/*": true, "*": true, "secrets": true,
		"pods/log/exec": true,
	} {
		server, world := ackSystem(t, binds("late", "Role", "reader", "mallory"))
		allows(server, "namespaces/ack-system/roles/reader", []any{"configmaps", resource}, "get")
		if got := len(trustOf(t, world).Writers) > 0; got != acts {
			t.Errorf("get %s: a writer: %v", resource, got)
		}
	}
	server, world := ackSystem(t, binds("late", "Role", "reader", "mallory"))
	allows(server, "namespaces/ack-system/roles/reader", []any{"jenkins"}, "view") // in OpenShift's ClusterRole view
	if got := trustOf(t, world); len(got.Writers) > 0 {
		t.Errorf("view: %+v", got)
	}
}

// TestF1ManyRoleBindings: a user who creates thousands of RoleBindings does not keep
// anybody waiting, and what was not looked at is not passed.
func TestF1ManyRoleBindings(t *testing.T) {
	const many, most = 2000, 100
	numbered := func(role, user string) []any {
		var all []any
		for n := range many {
			one := func(text string) string { return strings.ReplaceAll(text, "#", fmt.Sprint(n)) }
			kind := "ClusterRole"
			if role != "edit" {
				kind = "Role"
			}
			all = append(all, binds(fmt.Sprintf("b%d", n), kind, one(role), one(user)))
		}
		return all
	}
	for name, c := range map[string]struct {
		bindings []any
		reviews  int
		says     []string
	}{
		"one user":      {numbered("edit", "mallory"), 1, []string{"user mallory (RoleBinding b0)", "and 1995 more. "}},
		"many users":    {numbered("edit", "user-#"), most, []string{"and 95 more. ", "not looked at, because at most 100 are: 1900"}},
		"many roles":    {append(numbered("role-#", "mallory"), binds("late", "ClusterRole", "edit", "mallory")), 0, []string{"not looked at, because at most 100 are: 1901"}},
		"cluster admin": {numbered("edit", "the-admin"), 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			server, world := ackSystem(t, c.bindings...)
			for n := range many {
				if name == "many roles" {
					allows(server, fmt.Sprintf("namespaces/ack-system/roles/role-%d", n), []any{"pods"}, "get")
				}
			}
			const limit = 8
			together := reviewed(server, []string{"the-admin"}, int64(min(c.reviews, limit)))
			trust := trustOf(t, world)
			requests := server.Requests()
			roles := 0
			for path, n := range requests {
				if strings.Contains(path, "roles/") {
					roles += n
				}
			}
			if requests[reviewsURL] != c.reviews || roles > most || together.Load() != int64(min(c.reviews, limit)) {
				t.Errorf("%d reviews, %d at the same time, %d roles", requests[reviewsURL], together.Load(), roles)
			}
			why := trust.Writers.Why()
			for _, text := range c.says {
				if !strings.Contains(why, text) {
					t.Errorf("%s: not %q", why, text)
				}
			}
			if (why == "") != (c.says == nil) || len(trust.Writers.Names()) > 20 || strings.Count(trust.Ways(), "\n") > 20 {
				t.Errorf("%s: %d names\n%s", why, len(trust.Writers.Names()), trust.Ways())
			}
		})
	}
}
