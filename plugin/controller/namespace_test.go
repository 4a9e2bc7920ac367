package controller

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func roleBinding(name, kind, role string, subjects ...string) *unstructured.Unstructured {
	var list []any
	for _, one := range subjects {
		part := strings.Split(one, " ")
		subject := map[string]any{"kind": part[0], "name": part[1]}
		if len(part) > 2 {
			subject["namespace"] = part[2]
		}
		list = append(list, subject)
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
		"metadata": map[string]any{"name": name, "namespace": ackSystem},
		"roleRef":  map[string]any{"kind": kind, "name": role}, "subjects": list,
	}}
}

func roleWith(kind, name, resource string, verbs ...any) *unstructured.Unstructured {
	role := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": map[string]any{"name": name},
		"rules": []any{map[string]any{"apiGroups": []any{""}, "resources": []any{resource}, "verbs": verbs}},
	}}
	if kind == "Role" {
		role.SetNamespace(ackSystem)
	}
	return role
}

// reviews answers SubjectAccessReviews: who is named has every permission everywhere.
func (w *world) reviews(everywhere ...string) {
	w.client.PrependReactor("create", "subjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		answer := action.(clienttesting.CreateActionImpl).Object.(*unstructured.Unstructured).DeepCopy()
		who := []string{health.Text(answer.Object, "spec", "user")}
		groups, _, _ := unstructured.NestedStringSlice(answer.Object, "spec", "groups")
		allowed := slices.ContainsFunc(append(who, groups...), func(name string) bool { return slices.Contains(everywhere, name) })
		answer.Object["status"] = map[string]any{"allowed": allowed}
		return true, answer, nil
	})
}

// TestF1NamespaceOfAUser: a namespace in which a user, a group or a service account has
// permissions that they do not have everywhere is not trusted with the role.
func TestF1NamespaceOfAUser(t *testing.T) {
	roles := []*unstructured.Unstructured{
		roleWith("ClusterRole", "admin", "pods", "create"), roleWith("ClusterRole", "view", "pods", "get", "list"),
		roleWith("ClusterRole", "system:deployer", "pods", "create"), roleWith("ClusterRole", "system:image-puller", "imagestreams/layers", "get"),
		roleWith("Role", "secrets", "secrets", "get"),
	}
	for name, c := range map[string]struct {
		requester string
		bindings  []*unstructured.Unstructured
		want      string // "" is trusted
	}{
		"a cluster admin's": {"the-admin", []*unstructured.Unstructured{
			roleBinding("admin", "ClusterRole", "admin", "User the-admin"),
			roleBinding("system:deployers", "ClusterRole", "system:deployer", "ServiceAccount deployer "+ackSystem),
			roleBinding("system:image-pullers", "ClusterRole", "system:image-puller", "Group system:serviceaccounts:"+ackSystem),
		}, ""},
		"a looker's":                 {"", []*unstructured.Unstructured{roleBinding("view", "ClusterRole", "view", "User mallory")}, ""},
		"a role that does not exist": {"", []*unstructured.Unstructured{roleBinding("x", "ClusterRole", "x", "User mallory")}, ""},
		"OpenShift's own":            {"system:admin", []*unstructured.Unstructured{roleBinding("a", "ClusterRole", "admin", "ServiceAccount operator openshift-gitops")}, ""},
		"requested":                  {"mallory", nil, "user mallory (requested the project)"},
		"an admin of the project":    {"", []*unstructured.Unstructured{roleBinding("admin", "ClusterRole", "admin", "User mallory")}, "user mallory (RoleBinding admin)"},
		"a group":                    {"", []*unstructured.Unstructured{roleBinding("team", "ClusterRole", "admin", "Group team")}, "group team (RoleBinding team)"},
		"everybody":                  {"", []*unstructured.Unstructured{roleBinding("all", "ClusterRole", "admin", "Group system:authenticated")}, "group system:authenticated"},
		"secrets":                    {"", []*unstructured.Unstructured{roleBinding("s", "Role", "secrets", "User mallory")}, "user mallory (RoleBinding s)"},
		"a deputy": {
			"",
			[]*unstructured.Unstructured{roleBinding("deputy", "ClusterRole", "admin", "ServiceAccount robot mallory")},
			"user system:serviceaccount:mallory:robot (RoleBinding deputy)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, false, slices.Concat(roles, c.bindings)...)
			w.reviews("the-admin")
			project := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": ackSystem}}}
			if c.requester != "" {
				project.SetAnnotations(map[string]string{live.Requester: c.requester})
			}
			w.put(project)
			for _, mode := range []Mode{ByOLM, ByHand, Used} {
				p := &Plan{Mode: mode, basis: basis{facts: testFacts(), found: &Found{World: &live.World{Conn: w.conn, Namespace: ackSystem}, Namespace: ackSystem, Project: project}}}
				err := mayTrust(t.Context(), p)
				if c.want == "" || mode == Used {
					if err != nil {
						t.Errorf("%s: %v", mode, err)
					}
					continue
				}
				wantProblem(t, err, problem.Refused, c.want, "-n NAMESPACE")
			}
			ours := project.DeepCopy()
			ours.SetManagedFields(appliedBy(apply.Manager))
			p := &Plan{Mode: ByOLM, basis: basis{facts: testFacts(), found: &Found{World: &live.World{Conn: w.conn, Namespace: ackSystem}, Namespace: ackSystem, Project: ours}}}
			err := mayTrust(t.Context(), p)
			if c.requester == "mallory" { // who may update a project writes its managedFields
				wantProblem(t, err, problem.Refused, c.want)
				return
			}
			if err != nil || c.bindings != nil && c.want != "" && len(p.Admission.Warnings) != 1 {
				t.Errorf("ours: %v, %v", err, p.Admission.Warnings)
			}
		})
	}
}

// TestF1NamespaceWritersUnknown: of whom you are not allowed to know what they can do, it
// is not said that they can write, and their RoleBindings are not to be deleted for it.
func TestF1NamespaceWritersUnknown(t *testing.T) {
	w := newWorld(t, false, roleWith("ClusterRole", "admin", "pods", "create"),
		roleBinding("admin", "ClusterRole", "admin", "User mallory"), roleBinding("late", "ClusterRole", "secret", "User bob"))
	w.reviews()
	w.client.PrependReactor("get", "clusterroles", func(action clienttesting.Action) (bool, runtime.Object, error) {
		name := action.(clienttesting.GetAction).GetName()
		return name == "secret", nil, apierrors.NewForbidden(schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "clusterroles"}, name, errors.New("no"))
	})
	project := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": ackSystem}}}
	w.put(project)
	p := &Plan{Mode: ByOLM, basis: basis{facts: testFacts(), found: &Found{World: &live.World{Conn: w.conn, Namespace: ackSystem}, Namespace: ackSystem, Project: project}}}
	err := mayTrust(t.Context(), p)
	wantProblem(t, err, problem.Refused, "not in the whole cluster: user mallory (RoleBinding admin). They can", "is not known: user bob (RoleBinding late); requires get roles",
		"oc delete -n ack-system rolebinding/admin", "oc get rolebindings -n ack-system")
	var refusal *problem.Error
	if errors.As(err, &refusal); strings.Contains(refusal.Next, "late") || strings.Count(refusal.Why, "bob") != 1 {
		t.Errorf("%s\n%s", refusal.Why, refusal.Next)
	}
}

// TestF1NamespaceIsCreated, and never taken over: a user may request a project of the
// name after the plan was made.
func TestF1NamespaceIsCreated(t *testing.T) {
	namespaces := schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	for name, c := range map[string]struct {
		there     string // the manager of the namespace that exists by then
		requester string
		refused   bool
	}{
		"it does not exist": {}, "of another run": {apply.Manager, "", false}, "of a user": {"openshift-apiserver", "", true},
		"of a user with our field manager": {apply.Manager, "mallory", true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, false)
			created := 0
			w.client.PrependReactor("create", "namespaces", func(action clienttesting.Action) (bool, runtime.Object, error) {
				if created++; c.there != "" {
					return true, nil, apierrors.NewAlreadyExists(namespaces.GroupResource(), ackSystem)
				}
				return true, action.(clienttesting.CreateActionImpl).Object, nil
			})
			w.client.PrependReactor("patch", "namespaces", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, errors.New("it is applied, which takes over what is there")
			})
			if c.there != "" {
				there := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": ackSystem}}}
				if c.requester != "" {
					there.SetAnnotations(map[string]string{live.Requester: c.requester})
				}
				there.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: c.there, Operation: metav1.ManagedFieldsOperationUpdate}})
				w.put(there)
			}
			p := &Plan{basis: basis{facts: testFacts(), found: &Found{World: &live.World{Conn: w.conn}, Namespace: ackSystem}}}
			err := p.makeNamespace(t.Context(), &Done{})
			if (err != nil) != c.refused || created != 1 {
				t.Fatalf("%v, created %d times", err, created)
			}
			if c.refused {
				wantProblem(t, err, problem.Refused, "created by somebody else")
			}
		})
	}
}

// TestF1UnprovenIsNoController: a Deployment that only looks like the controller does
// not keep a cluster from getting one.
func TestF1UnprovenIsNoController(t *testing.T) {
	const real = "system:serviceaccount:elsewhere:default"
	for want, everywhere := range map[Mode][]string{ByOLM: nil, Used: {real}} {
		w := newWorld(t, true)
		w.reviews(everywhere...)
		p := &Plan{
			basis: basis{facts: testFacts(), found: &Found{
				World: &live.World{Conn: w.conn, Namespace: ackSystem}, Namespace: ackSystem, OLM: true,
			}},
		}
		var err error
		if p.found.Controllers, err = p.found.World.Prove(t.Context(), []ack.Controller{controllerBy(ack.Helm, "elsewhere", "helm")}); err != nil {
			t.Fatal(err)
		}
		if err := prove(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if mode, err := p.mode(); mode != want || err != nil {
			t.Errorf("%v: %s, %v", everywhere, mode, err)
		}
	}
}

// TestF1Planted: Buckets that wait for a controller with the S3 buckets of others are
// asked about before one starts.
func TestF1Planted(t *testing.T) {
	refused := []RefusedBucket{{Namespace: "a", Name: "foreign", foreign: true}, {Namespace: "a", Name: "tags"}}
	running := controllerBy(ack.Manifests, ackSystem, apply.Manager)
	running.Status.AvailableReplicas = 1
	for _, c := range []struct {
		mode        Mode
		deployments []ack.Controller
		want        int
	}{{ByOLM, nil, 1}, {ByHand, []ack.Controller{running}, 0}, {Used, nil, 0}} {
		p := &Plan{Mode: c.mode, MakesNamespace: true, Admission: Admission{Refused: refused}, basis: basis{found: &Found{Namespace: ackSystem, Controllers: provenOnes(c.deployments...)}}}
		if got := p.Planted(); len(got) != c.want {
			t.Errorf("%s: %s", c.mode, fmt.Sprint(got))
		}
	}
}
