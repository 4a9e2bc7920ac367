package apply

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	fielderrors "k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// controller is an Applier of the controller's set.
func (s *server) controller(opts Options) *Applier {
	opts.Set = Controller()
	return s.applier(opts)
}

func TestSetsName(t *testing.T) {
	for _, set := range []Set{App(), Controller()} {
		seen := map[schema.GroupKind]bool{}
		for _, k := range set.Kinds {
			if seen[k.GroupKind()] || k.Version == "" || k.Cluster != clusterWide(k.Kind) {
				t.Errorf("%s: %+v", set.Inventory, k)
			}
			seen[k.GroupKind()] = true
		}
	}
	if App().Inventory == Controller().Inventory {
		t.Error("both sets have one inventory")
	}
	var data []string
	for _, k := range slices.Concat(App().Kinds, Controller().Kinds) {
		if k.Data {
			data = append(data, k.Kind)
		}
	}
	if d := cmp.Diff([]string{"PersistentVolumeClaim", "Bucket", "CustomResourceDefinition"}, data); d != "" {
		t.Error(d)
	}
}

func TestRefResource(t *testing.T) {
	for want, ref := range map[string]Ref{
		"deployment/d":                         {Group: "apps", Version: "v1", Kind: "Deployment", Name: "d"},
		"bucket.s3.services.k8s.aws/b":         {Group: "s3.services.k8s.aws", Version: "v1alpha1", Kind: "Bucket", Name: "b"},
		"subscriptions.operators.coreos.com/s": {Group: "operators.coreos.com", Version: "v1alpha1", Kind: "Subscription", Name: "s"},
		"operatorgroups.operators.coreos.com/g": {
			Group: "operators.coreos.com", Version: "v1", Kind: "OperatorGroup", Name: "g",
		},
		"clusterrole/r":              {Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole", Name: "r"},
		"customresourcedefinition/c": {Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition", Name: "c"},
	} {
		if got := ref.Resource(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestControllerRuns: made, then nothing, then what somebody edited is put back;
// all of it on record in the controller's own inventory.
func TestControllerRuns(t *testing.T) {
	s := newServer(t)
	p := run(t, s.controller(Options{}), testController(), Record{Region: "us-east-2"})
	for kind, action := range actions(p) {
		if action != Create {
			t.Errorf("%s: %s", kind, action)
		}
	}
	first := s.seen()
	for _, want := range []string{
		"PATCH demo/configmaps/ostoy-s3-controller", "PATCH -/clusterroles/ack-s3-buckets",
		"PATCH -/customresourcedefinitions/buckets.s3.services.k8s.aws", "PATCH demo/subscriptions/ack-s3-controller",
	} {
		if !slices.Contains(first, want) {
			t.Errorf("no %s:\n%s", want, strings.Join(first, "\n"))
		}
	}
	if p := run(t, s.controller(Options{}), testController(), Record{}); p.Changed() || len(p.Inventory.Objects) != 4 {
		t.Errorf("%v %v", actions(p), p.Inventory.Objects)
	}
	s.edit(RefOf(testClusterRole()), "kubectl-edit", func(o map[string]any) {
		_ = unstructured.SetNestedField(o, "list", "aggregationRule", "verb")
	})
	p = run(t, s.controller(Options{}), testController(), Record{})
	want := []FieldChange{{Path: "aggregationRule.verb", Before: "list", After: "get", Manager: "kubectl-edit"}}
	if d := cmp.Diff(want, item(t, p, "ClusterRole").Changes); d != "" {
		t.Error(d)
	}
	if verb, _, _ := unstructured.NestedString(s.live(RefOf(testClusterRole())).Object, "aggregationRule", "verb"); verb != "get" {
		t.Errorf("left as %q", verb)
	}
}

// TestClusterScopedOfOthers: as in a namespace, and the words name none.
func TestClusterScopedOfOthers(t *testing.T) {
	other := testClusterRole()
	_ = unstructured.SetNestedField(other.Object, "list", "aggregationRule", "verb")
	for name, c := range map[string]struct {
		first   bool // applied by us before
		manager string
		applied bool
		parts   []string
		leave   Options
	}{
		"foreign":          {false, "kubectl-create", false, []string{"ClusterRole ack-s3-buckets is not ours\n", "oc get clusterrole/ack-s3-buckets -o yaml"}, Options{ForceConflicts: true}},
		"conflict":         {true, "kubectl", true, []string{"ClusterRole ack-s3-buckets has fields that others manage\n", "let them have the fields, or"}, Options{ForceConflicts: true}},
		"from Git":         {true, "argocd-controller", true, []string{"ClusterRole ack-s3-buckets is managed by Argo CD\n", "oc ostoy-s3 controller render;"}, Options{ForceOwner: true}},
		"of Helm's making": {false, "helm", false, []string{"ClusterRole ack-s3-buckets is managed by Helm\n", "upgrade the release: helm upgrade;"}, Options{ForceOwner: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			if c.first {
				run(t, s.controller(Options{}), testController(), Record{})
			}
			s.put(other, c.manager, c.applied)
			_, err := plan(t, s.controller(Options{}), testController(), Record{})
			wantProblem(t, err, problem.Refused, c.parts...)
			if strings.Contains(err.Error(), testNamespace) {
				t.Errorf("it names a namespace: %v", err)
			}
			run(t, s.controller(c.leave), testController(), Record{})
			if !Ours(s.live(RefOf(other))) {
				t.Error("with leave it is not taken over")
			}
		})
	}
}

// TestFreshLooksOutside: a namespace that is not there says nothing of what is in
// none.
func TestFreshLooksOutside(t *testing.T) {
	s := newServer(t)
	s.put(testClusterRole(), Manager, true)
	p, err := plan(t, s.controller(Options{Fresh: true}), testController(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Action{"ClusterRole": Unchanged, "CustomResourceDefinition": Create, "ServiceAccount": Create, "Subscription": Create}
	if d := cmp.Diff(want, actions(p)); d != "" {
		t.Error(d)
	}
	if requests := s.seen(); count(requests, "", "") != 3 || slices.ContainsFunc(requests, func(r string) bool { return strings.Contains(r, " demo/") }) {
		t.Errorf("asked: %v", requests)
	}
	other := testClusterRole()
	_ = unstructured.SetNestedField(other.Object, "list", "aggregationRule", "verb")
	s.put(other, "kubectl-create", false)
	s.put(other, "kubectl", true)
	_, err = plan(t, s.controller(Options{Fresh: true}), testController(), Record{})
	wantProblem(t, err, problem.Refused, "ClusterRole ack-s3-buckets", "kubectl")
}

// TestControllerPrune: what a later version leaves out goes, but for definitions
// and what is not ours.
func TestControllerPrune(t *testing.T) {
	s := newServer(t)
	second := testClusterRole()
	second.SetName("second")
	run(t, s.controller(Options{}), append(testController(), second), Record{})
	s.mu.Lock()
	delete(s.objects, path(RefOf(second)))
	s.mu.Unlock()
	s.put(second, "kubectl-create", false)
	set := []*unstructured.Unstructured{testAccount(), testSubscription()}
	p := run(t, s.controller(Options{}), set, Record{})
	got := map[string]Action{}
	for _, it := range p.Left {
		got[it.Ref.String()] = it.Action
	}
	want := map[string]Action{
		"ClusterRole ack-s3-buckets": Delete, "ClusterRole second": Keep,
		"CustomResourceDefinition buckets.s3.services.k8s.aws": Keep,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if s.live(RefOf(testClusterRole())) != nil || s.live(RefOf(second)) == nil || s.live(RefOf(testDefinition())) == nil {
		t.Error("the wrong ones are gone")
	}
	if inv, err := s.controller(Options{}).ReadInventory(t.Context()); err != nil || len(inv.Objects) != 3 {
		t.Errorf("on record %v, %v", inv.Objects, err)
	}
}

func TestUnusableInController(t *testing.T) {
	placed := testClusterRole()
	placed.SetNamespace(testNamespace)
	adrift := testAccount()
	adrift.SetNamespace("")
	for name, obj := range map[string]*unstructured.Unstructured{
		"a kind of the app":           testRoute(),
		"a Secret":                    testSecret(),
		"cluster-scoped in a project": placed,
		"in no project":               adrift,
	} {
		s := newServer(t)
		_, err := plan(t, s.controller(Options{}), []*unstructured.Unstructured{obj}, Record{})
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		wantProblem(t, err, problem.Usage, "oc ostoy-s3 controller render -n demo |")
	}
	_, err := plan(t, newServer(t).applier(Options{}), []*unstructured.Unstructured{testClusterRole()}, Record{})
	wantProblem(t, err, problem.Usage, "ClusterRole ack-s3-buckets cannot be applied", "oc ostoy-s3 render -n demo |")
}

// TestSetsKeepApart: one namespace with both, each with what is its own.
func TestSetsKeepApart(t *testing.T) {
	s := newServer(t)
	app := App().inventoryRef()
	run(t, s.applier(Options{}), testSet(), Record{Bucket: "demo-bucket"})
	before := s.live(app)
	s.seen()
	run(t, s.controller(Options{}), testController(), Record{Region: "us-east-2"})
	if d := cmp.Diff(before, s.live(app)); d != "" || slices.ContainsFunc(s.seen(), func(r string) bool { return strings.HasSuffix(r, "/configmaps/ostoy-s3") }) {
		t.Errorf("the app's inventory was asked for, or written: %s", d)
	}
	r := planRemoval(t, s.applier(Options{}))
	if got := found(slices.Concat(r.Objects, r.Kept)); got != "Deployment ostoy-frontend, Route ostoy-route, Secret ostoy-secret" {
		t.Errorf("of the app: %s", got)
	}
	r = planRemoval(t, s.controller(Options{}))
	if got := found(slices.Concat(r.Objects, r.Kept)); got != "ClusterRole ack-s3-buckets, ServiceAccount ack-s3-controller, Subscription ack-s3-controller" {
		t.Errorf("of the controller: %s", got)
	}
	if r.Inventory.Region != "us-east-2" || r.Inventory.Bucket != "" || found(r.Definitions) == "" || len(r.Inventory.Flaws("demo")) > 0 {
		t.Errorf("%+v %q", r.Inventory, r.Inventory.Flaws("demo"))
	}
	if err := s.controller(Options{}).RemoveInventory(t.Context(), r); err != nil || s.live(app) == nil || s.live(Controller().inventoryRef()) != nil {
		t.Errorf("the wrong inventory is gone: %v", err)
	}
}

// TestControllerRefusals: what an admin of one project may not do is a cluster
// admin's; a cluster without OLM has another way.
func TestControllerRefusals(t *testing.T) {
	role := RefOf(testClusterRole())
	rbac := func(text string) error {
		return apierrors.NewForbidden(schema.GroupResource{Group: role.Group, Resource: "clusterroles"}, role.Name, errors.New(text))
	}
	a := newServer(t).controller(Options{})
	for name, c := range map[string]struct {
		ref   Ref
		err   error
		parts []string
	}{
		"not a cluster admin": {role, rbac(`User "bob" cannot patch resource "clusterroles"`), []string{"cannot patch", "cluster admin", "oc ostoy-s3 controller render"}},
		"escalation":          {Ref{Group: role.Group, Version: "v1", Kind: "RoleBinding", Name: "x"}, rbac(`user "bob" is attempting to grant RBAC permissions not currently held`), []string{"attempting to grant", "cluster admin"}},
		"not there":           {role, apierrors.NewNotFound(schema.GroupResource{}, "x"), []string{"oc api-resources --api-group=rbac.authorization.k8s.io"}},
		"invalid": {role, apierrors.NewInvalid(schema.GroupKind{}, "x", nil), []string{
			"oc explain clusterrole --api-version=rbac.authorization.k8s.io/v1",
		}},
		"immutable": {RefOf(testDefinition()), apierrors.NewInvalid(schema.GroupKind{}, "x", fielderrors.ErrorList{fielderrors.Invalid(fielderrors.NewPath("spec"), nil, "field is immutable")}), []string{
			"oc get customresourcedefinition/buckets.s3.services.k8s.aws -o yaml", "never recreated",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			err := failure(a, "applied", c.ref, c.err)
			wantProblem(t, err, problem.Failed, c.parts...)
			if strings.Contains(err.Error(), testNamespace) || strings.Contains(err.Error(), "--set") {
				t.Errorf("%v", err)
			}
		})
	}
	s := newServer(t)
	s.unserved["Subscription"] = true
	_, err := plan(t, s.controller(Options{}), testController(), Record{})
	wantProblem(t, err, problem.Refused, "Operator Lifecycle Manager", "oc ostoy-s3 controller install --bucket-pattern")
}
