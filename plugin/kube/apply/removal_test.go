package apply

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// found are the names of items, sorted.
func found(items []*Item) string {
	var names []string
	for _, it := range items {
		names = append(names, it.Ref.String())
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func planRemoval(t *testing.T, a *Applier) *Removal {
	t.Helper()
	inv, err := a.ReadInventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.PlanRemoval(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRemoval: what is ours is found by its field manager, with an inventory,
// with a partial one, and without.
func TestRemoval(t *testing.T) {
	for name, forget := range map[string]func(*server){
		"with inventory": func(*server) {},
		"partial": func(s *server) {
			s.edit(App().inventoryRef(), "kubectl-edit", func(o map[string]any) { o["data"] = map[string]any{"objects": "v1 Secret theirs\n"} })
		},
		"without": func(s *server) { delete(s.objects, path(App().inventoryRef())) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			a := s.applier(Options{})
			run(t, a, testSet(), Record{})
			theirs := object("v1", "Secret", "theirs", "", map[string]any{"data": map[string]any{"p": "eA=="}})
			s.put(theirs, "kubectl-create", false)
			forget(s)
			r := planRemoval(t, a)
			if r.Bucket == nil || len(r.Volumes) != 1 || strings.Contains(found(r.Objects), "theirs") || len(r.Objects) != len(testSet())-2 {
				t.Fatalf("objects %s, volumes %s", found(r.Objects), found(r.Volumes))
			}
			if kept := found(r.Kept); (name == "partial") != (kept == "Secret theirs") {
				t.Errorf("kept %q", kept)
			}
			if err := a.Remove(t.Context(), r.Objects, nil); err != nil {
				t.Fatal(err)
			}
			if err := a.RemoveInventory(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if r = planRemoval(t, a); len(r.Objects) > 0 || r.Bucket == nil || len(r.Volumes) != 1 || r.Inventory.Found || s.live(RefOf(theirs)) == nil {
				t.Errorf("afterwards %+v", r)
			}
		})
	}
}

// TestRemovalLooksAgain: between look and delete somebody took the object.
func TestRemovalLooksAgain(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	r := planRemoval(t, a)
	s.mu.Lock()
	delete(s.objects, path(RefOf(testRoute())))
	s.mu.Unlock()
	s.put(testRoute(), "kubectl-create", false)
	var kept []string
	err := a.Remove(t.Context(), r.Objects, func(e Event) {
		if e.Action == Keep {
			kept = append(kept, e.Ref.Kind)
		}
	})
	if err != nil || s.live(RefOf(testRoute())) == nil || strings.Join(kept, " ") != "Route" {
		t.Errorf("kept %v, %v", kept, err)
	}
}

func TestRemovalOfDelivered(t *testing.T) {
	s := newServer(t)
	run(t, s.applier(Options{}), testSet(), Record{})
	s.put(testRoute(), "argocd-controller", true)
	_, err := s.applier(Options{}).PlanRemoval(t.Context(), Inventory{})
	wantProblem(t, err, problem.Refused, "Argo CD", "--force-owner", "oc ostoy-s3 render")
	if r := planRemoval(t, s.applier(Options{ForceOwner: true})); !strings.Contains(found(r.Objects), "Route") {
		t.Errorf("with leave: %s", found(r.Objects))
	}
}

// TestRemovalOfDeliveredMeanwhile: between look and delete Argo CD took the
// object, too.
func TestRemovalOfDeliveredMeanwhile(t *testing.T) {
	for _, leave := range []bool{false, true} {
		s := newServer(t)
		a := s.applier(Options{ForceOwner: leave})
		run(t, a, testSet(), Record{})
		r := planRemoval(t, a)
		s.put(testRoute(), "argocd-controller", true)
		var kept []string
		err := a.Remove(t.Context(), r.Objects, func(e Event) {
			if e.Action == Keep {
				kept = append(kept, e.Ref.Kind)
			}
		})
		if stays := s.live(RefOf(testRoute())) != nil; err != nil || stays == leave || (len(kept) == 1) == leave {
			t.Errorf("with leave %t it stays: %t; kept %v, %v", leave, stays, kept, err)
		}
	}
}

// TestRemovalWithoutLists: who may not list a kind is helped by the inventory.
func TestRemovalWithoutLists(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	s.unserved["Route"] = true
	s.hook = func(w http.ResponseWriter, r *http.Request) bool {
		refused := r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/secrets")
		if refused {
			answerError(w, apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "", nil))
		}
		return refused
	}
	r := planRemoval(t, a)
	if !strings.Contains(found(r.Objects), "Secret") || found(r.Gone) != "Route "+testRoute().GetName() {
		t.Errorf("objects %s, gone %s", found(r.Objects), found(r.Gone))
	}
	if len(r.Unlisted) != 1 || r.Unlisted[0].Kind != "Secret" {
		t.Errorf("not listed: %v", r.Unlisted)
	}
}

func TestChange(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	ref := RefOf(testBucket())
	tries := 0
	note := func(*unstructured.Unstructured) map[string]any {
		if tries++; tries == 1 { // somebody is faster
			s.edit(ref, "controller", func(o map[string]any) { _ = unstructured.SetNestedField(o, "x", "status", "y") })
		}
		return map[string]any{"metadata": map[string]any{"annotations": map[string]any{"a": "b"}}}
	}
	live, err := a.Change(t.Context(), ref, note)
	if err != nil || live.GetAnnotations()["a"] != "b" || tries != 2 {
		t.Errorf("%d tries: %v", tries, err)
	}
	never := func(*unstructured.Unstructured) map[string]any { t.Error("asked"); return nil }
	theirs := object("v1", "Secret", "theirs", "", nil)
	s.put(theirs, "kubectl-create", false)
	for _, ref := range []Ref{RefOf(theirs), {Version: "v1", Kind: "Secret", Name: "absent"}} {
		if live, err := a.Change(t.Context(), ref, never); live != nil || err != nil {
			t.Errorf("%s: %v, %v", ref, live, err)
		}
	}
}
