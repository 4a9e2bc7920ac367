package apply

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ourItems are the items of everything that is ours.
func ourItems(t *testing.T, a *Applier) []*Item {
	t.Helper()
	inv, err := a.ReadInventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.PlanRemoval(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	items := slices.Concat(r.Objects, r.Volumes)
	if r.Bucket != nil {
		items = append(items, r.Bucket)
	}
	return items
}

// bare is an object without what a release may change.
func bare(o *unstructured.Unstructured) map[string]any {
	out := o.DeepCopy()
	out.SetManagedFields(nil)
	out.SetResourceVersion("")
	return out.Object
}

// TestReleaseChangesNothingElse: our name goes, others' names and all content
// stay; a second time there is nothing to do.
func TestReleaseChangesNothingElse(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	s.put(testDeployment(), "argocd-controller", true)
	before := map[Ref]*unstructured.Unstructured{}
	for _, o := range testSet() {
		before[RefOf(o)] = s.live(RefOf(o))
	}
	items := ourItems(t, s.applier(Options{ForceOwner: true}))
	if len(items) != len(testSet()) {
		t.Fatalf("%d items are ours, want %d", len(items), len(testSet()))
	}
	var told []Ref
	if err := a.Release(t.Context(), items, func(e Event) { told = append(told, e.Ref) }); err != nil {
		t.Fatal(err)
	}
	if len(told) != len(items) {
		t.Errorf("told of %v", told)
	}
	for ref, was := range before {
		now := s.live(ref)
		if Ours(now) {
			t.Errorf("%s is still ours", ref)
		}
		if diff := cmp.Diff(bare(was), bare(now)); diff != "" {
			t.Errorf("%s changed:\n%s", ref, diff)
		}
	}
	if got := managerNames(s.live(RefOf(testDeployment()))); !slices.Equal(got, []string{"argocd-controller"}) {
		t.Errorf("the Deployment is managed by %v", got)
	}
	s.seen()
	if err := a.Release(t.Context(), items, nil); err != nil {
		t.Fatal(err)
	}
	if writes := count(s.seen(), "PATCH", ""); writes != 0 {
		t.Errorf("%d writes at the second time", writes)
	}
}

// TestReleaseOfWhatIsBeingEdited: an edit between reading and writing is kept.
func TestReleaseOfWhatIsBeingEdited(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	items := ourItems(t, a)
	ref := RefOf(testDeployment())
	var once sync.Once
	s.hook = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch && r.URL.Path == path(ref) {
			once.Do(func() {
				s.edit(ref, "kubectl-edit", func(o map[string]any) { o["spec"].(map[string]any)["paused"] = true })
			})
		}
		return false
	}
	if err := a.Release(t.Context(), items, nil); err != nil {
		t.Fatal(err)
	}
	live := s.live(ref)
	if paused, _, _ := unstructured.NestedBool(live.Object, "spec", "paused"); !paused || Ours(live) {
		t.Errorf("paused %v, ours %v", paused, Ours(live))
	}
	if got := managerNames(live); !slices.Equal(got, []string{"kubectl-edit"}) {
		t.Errorf("managed by %v", got)
	}
}

// TestReleaseThatDoesNotTake: a server that answers and changes nothing is told.
func TestReleaseThatDoesNotTake(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	items := ourItems(t, a)
	s.hook = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch {
			return false
		}
		for _, it := range items {
			if r.URL.Path == path(it.Ref) {
				answer(w, http.StatusOK, s.live(it.Ref).Object)
			}
		}
		return true
	}
	if err := a.Release(t.Context(), items[:1], nil); err == nil {
		t.Error("no error")
	}
}

// TestReleaseGoesOn: what one object is refused does not keep the others, and a
// second run does the rest.
func TestReleaseGoesOn(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	items := ourItems(t, a)
	ref := RefOf(testSecret())
	s.hook = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || r.URL.Path != path(ref) {
			return false
		}
		answerError(w, apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, ref.Name, errors.New("no")))
		return true
	}
	if err := a.Release(t.Context(), items, nil); err == nil {
		t.Fatal("no error")
	}
	if left := ourItems(t, a); len(left) != 1 || !left[0].Ref.same(ref) {
		t.Fatalf("still ours: %v", left)
	}
	s.hook = nil
	if err := a.Release(t.Context(), ourItems(t, a), nil); err != nil {
		t.Fatal(err)
	}
	if left := ourItems(t, a); len(left) != 0 {
		t.Errorf("still ours: %v", left)
	}
}
