package apply

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func TestPlanRemovalOf(t *testing.T) {
	s := newServer(t)
	a := s.controller(Options{})
	group := object("operators.coreos.com/v1", "OperatorGroup", "ack", "0", map[string]any{"spec": map[string]any{"x": "y"}})
	run(t, a, append(testController(), group), Record{})
	theirs := testClusterRole()
	theirs.SetName("theirs")
	s.put(theirs, "kubectl-create", false)
	absent := RefOf(testAccount())
	absent.Name = "absent"
	s.unserved["OperatorGroup"] = true
	s.hook = refuseLists
	inv, err := a.ReadInventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.seen()
	refs := append(refsOf(testController()), RefOf(theirs), absent, RefOf(group), RefOf(theirs), Controller().inventoryRef())
	r, err := a.PlanRemovalOf(t.Context(), refs, inv)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.seen()); n != 6 {
		t.Errorf("%d requests", n)
	}
	for _, c := range []struct {
		items []*Item
		want  string
	}{
		{r.Objects, "ClusterRole ack-s3-buckets, ServiceAccount ack-s3-controller, Subscription ack-s3-controller"},
		{r.Definitions, "CustomResourceDefinition buckets.s3.services.k8s.aws"},
		{r.Kept, "ClusterRole theirs"},
		{r.Gone, "OperatorGroup ack"},
	} {
		if got := found(c.items); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if r.Kept[0].Why != "it is not ours: managed by kubectl-create" || !r.InventoryOurs {
		t.Errorf("%+v", r.Kept[0])
	}
	if err := a.Remove(t.Context(), slices.Concat(r.Objects, r.Definitions), nil); err != nil {
		t.Fatal(err)
	}
	if err := a.RemoveInventory(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for _, ref := range append(refsOf(testController()), Controller().inventoryRef()) {
		if s.live(ref) != nil {
			t.Errorf("%s is still there", ref)
		}
	}
	if s.live(RefOf(theirs)) == nil {
		t.Error("somebody else's is gone")
	}
}

func TestPlanRemovalOfUnusable(t *testing.T) {
	s := newServer(t)
	twisted := RefOf(testClusterRole())
	twisted.Name = "../nodes/x"
	for _, ref := range []Ref{RefOf(testSecret()), twisted, {Version: "v1", Kind: "Node", Name: "n"}} {
		_, err := s.controller(Options{}).PlanRemovalOf(t.Context(), []Ref{ref}, Inventory{})
		wantProblem(t, err, problem.Usage, "it is none of those that this tool deletes")
	}
	if asked := s.seen(); len(asked) > 0 {
		t.Errorf("asked for %v", asked)
	}
}

func TestPlanRemovalOfDelivered(t *testing.T) {
	s := newServer(t)
	run(t, s.controller(Options{}), testController(), Record{})
	s.put(testDefinition(), "argocd-controller", true)
	foreign := testClusterRole()
	foreign.SetName("theirs")
	s.put(foreign, "helm", false)
	refs := append(refsOf(testController()), RefOf(foreign))

	// What need not go, or is not ours to begin with, is no reason to refuse.
	r, err := s.controller(Options{}).PlanRemovalOf(t.Context(), refs, Inventory{})
	if err != nil || len(r.Definitions) > 0 || len(r.Kept) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	s.put(testClusterRole(), "argocd-controller", true)
	_, err = s.controller(Options{}).PlanRemovalOf(t.Context(), refs, Inventory{})
	wantProblem(t, err, problem.Refused, "ClusterRole ack-s3-buckets is managed by Argo CD\n",
		"oc ostoy-s3 controller render), then run the same command again for the role;", "--force-owner")
	r, err = s.controller(Options{ForceOwner: true}).PlanRemovalOf(t.Context(), refs, Inventory{})
	if err != nil || len(r.Definitions) != 1 || len(r.Objects) != 3 || found(r.Kept) != "ClusterRole theirs" {
		t.Errorf("with leave: %+v, %v", r, err)
	}
}

// refuseLists answers every list with 403, and says so.
func refuseLists(w http.ResponseWriter, r *http.Request) bool {
	list := r.Method == http.MethodGet && strings.Count(short(r.URL.Path), "/") == 1
	if list {
		answerError(w, apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("no lists")))
	}
	return list
}
