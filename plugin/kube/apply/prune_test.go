package apply

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func TestPrune(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	s.seen()
	// Route, Bucket and PVC are left out.
	set := []*unstructured.Unstructured{testSecret(), testDeployment()}
	p := run(t, a, set, Record{})
	got := actions(p)
	if got["Route"] != Delete || got["Bucket"] != Keep || got["PersistentVolumeClaim"] != Keep {
		t.Errorf("%v", got)
	}
	requests := s.seen()
	if count(requests, "DELETE", "") != 1 || s.live(RefOf(testRoute())) != nil || s.live(RefOf(testBucket())) == nil {
		t.Errorf("%s", strings.Join(requests, "\n"))
	}
	// What is kept stays on record, what is gone does not.
	inv, err := a.ReadInventory(t.Context())
	if err != nil || len(inv.Objects) != 4 {
		t.Errorf("%v %v", inv.Objects, err)
	}
	p = run(t, a, set, Record{})
	if p.Changed() || actions(p)["Bucket"] != Keep || count(s.seen(), "PATCH demo/configmaps", "") != 0 {
		t.Errorf("not settled: %v", actions(p))
	}
}

func TestPruneTouchesNothingOfOthers(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	theirs := object("v1", "Secret", "database", "", map[string]any{"data": map[string]any{"p": "eA=="}})
	labelled := theirs.DeepCopy()
	labelled.SetName("labelled")
	labelled.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "ostoy-s3"})
	s.put(theirs, "kubectl-create", false)
	s.put(labelled, "helm", false)
	// Somebody who only has the name of our manager, with an Update.
	s.put(object("v1", "Service", "update", "", map[string]any{"spec": map[string]any{"x": "y"}}), Manager, false)
	shared := object("v1", "Service", "shared", "", map[string]any{"spec": map[string]any{"x": "y"}})
	s.put(shared, Manager, true)
	s.put(shared, "argocd-controller", true)
	s.put(object("v1", "ConfigMap", InventoryName, "", map[string]any{"data": map[string]any{
		"objects": strings.Join([]string{
			"v1 Secret database", "v1 Secret labelled", "v1 Service update", "v1 Service shared",
			"v1 Node worker", "v1 Namespace demo", "v1 Secret ../../../kube-system/secrets/token",
			"v1 Secret kube-system/token", "v1 Secret a b", "rbac.authorization.k8s.io/v1 ClusterRole admin", "v2/v3/v4 x y", "",
		}, "\n"),
	}}), Manager, true)
	p := run(t, a, testSet(), Record{})
	for _, it := range p.Left {
		if it.Action != Keep || it.Why == "" {
			t.Errorf("%+v", it)
		}
	}
	if len(p.Left) != 4 {
		t.Errorf("%d left", len(p.Left))
	}
	for _, r := range s.seen() {
		if strings.HasPrefix(r, "DELETE") || strings.Contains(r, "kube-system") || strings.Contains(r, "nodes") {
			t.Error(r)
		}
	}
}

func TestPruneLooksAgain(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	set := []*unstructured.Unstructured{testBucket(), testSecret(), testPVC(), testDeployment()}

	// Its resourceVersion changed, it is still ours: deleted all the same.
	p, err := plan(t, a, set, Record{})
	if err != nil {
		t.Fatal(err)
	}
	s.edit(RefOf(testRoute()), "router", func(o map[string]any) { _ = unstructured.SetNestedField(o, "x", "spec", "host") })
	if err := p.Prune(t.Context(), nil); err != nil || s.live(RefOf(testRoute())) != nil {
		t.Errorf("%v", err)
	}

	// Deleted and made anew by somebody else: kept.
	run(t, a, testSet(), Record{})
	p, err = plan(t, a, set, Record{})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	delete(s.objects, path(RefOf(testRoute())))
	s.mu.Unlock()
	s.put(testRoute(), "kubectl-create", false)
	if err := p.Prune(t.Context(), nil); err != nil || s.live(RefOf(testRoute())) == nil {
		t.Errorf("%v", err)
	}
	if it := item(t, p, "Route"); it.Action != Keep {
		t.Errorf("%+v", it)
	}
}

func TestKindNoLongerServed(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	s.unserved["Route"] = true
	p := run(t, a, []*unstructured.Unstructured{testBucket(), testSecret(), testPVC(), testDeployment()}, Record{})
	if it := item(t, p, "Route"); it.Action != Gone || it.Why == "" {
		t.Errorf("%+v", it)
	}
	if inv, _ := a.ReadInventory(t.Context()); len(inv.Objects) != 4 {
		t.Errorf("%v", inv.Objects)
	}
}

// A run that is killed after any of its writes leaves nothing that the
// inventory does not list, and the next run ends well.
func TestInventoryComesFirst(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, []*unstructured.Unstructured{testSecret(), testRoute()}, Record{})
	p, err := plan(t, a, []*unstructured.Unstructured{testSecret(), testPVC()}, Record{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.WriteInventory(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	inv, err := a.ReadInventory(t.Context())
	if err != nil || len(inv.Objects) != 3 { // old and new, before either changes
		t.Errorf("%v %v", inv.Objects, err)
	}
}

func TestForeignInventory(t *testing.T) {
	s := newServer(t)
	cm := object("v1", "ConfigMap", InventoryName, "", map[string]any{"data": map[string]any{"game.ini": "x"}})
	s.put(cm, "kubectl-create", false)
	_, err := plan(t, s.applier(Options{}), testSet(), Record{})
	wantProblem(t, err, problem.Refused, "ConfigMap ostoy-s3", "kubectl-create")

	// A restored one has lost the manager, but has the label.
	cm.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "ostoy-s3"})
	s.put(cm, "velero", false)
	run(t, s.applier(Options{}), testSet(), Record{})
	if inv, _ := s.applier(Options{}).ReadInventory(t.Context()); len(inv.Objects) != 5 || inv.Foreign {
		t.Errorf("%+v", inv)
	}
}
