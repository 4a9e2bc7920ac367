package apply

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func wantLost(t *testing.T, err error, parts ...string) {
	t.Helper()
	if !errors.Is(err, ErrLostRace) {
		t.Fatalf("not a lost race: %v", err)
	}
	wantProblem(t, err, problem.Failed, append(parts, "another run of oc ostoy-s3", "run the same command again")...)
}

// looked is a plan of a set, by an install that has looked and not written.
func looked(t *testing.T, s *server, record Record, set ...*unstructured.Unstructured) *Plan {
	t.Helper()
	p, err := plan(t, s.applier(Options{}), set, record)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func forget(s *server, refs ...Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ref := range refs {
		delete(s.objects, path(ref))
	}
}

// TestUninstallAfterInstallLooked: what an install read is deleted before it
// writes. It stops before it creates anything.
func TestUninstallAfterInstallLooked(t *testing.T) {
	for name, record := range map[string]Record{"the same inventory": {}, "another inventory": {Version: "v2"}} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			run(t, s.applier(Options{}), testSet(), Record{})
			forget(s, RefOf(testRoute()))
			p := looked(t, s, record, testSet()...)
			forget(s, App().inventoryRef())
			wantLost(t, p.WriteInventory(t.Context(), false), "deleted the inventory of project demo")
			if s.live(App().inventoryRef()) != nil {
				t.Error("the inventory is back")
			}

			// Another install has recreated it: that is a race, too.
			run(t, s.applier(Options{}), testSet(), record)
			s.mu.Lock()
			s.objects[path(App().inventoryRef())].SetUID("uid-of-another")
			s.mu.Unlock()
			wantLost(t, p.WriteInventory(t.Context(), false), "changed the inventory of project demo")
		})
	}
}

// TestInstallAfterUninstallLooked: an uninstall deletes only the inventory that it
// has read, also where the install that came between recorded nothing new.
func TestInstallAfterUninstallLooked(t *testing.T) {
	for name, record := range map[string]Record{"the same inventory": {}, "another inventory": {Version: "v2"}} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			a := s.applier(Options{})
			run(t, a, testSet(), Record{})
			forget(s, RefOf(testRoute()))
			removal := planRemoval(t, a)
			run(t, s.applier(Options{}), testSet(), record)
			wantLost(t, a.RemoveInventory(t.Context(), removal), "changed the inventory of project demo")
			if s.live(App().inventoryRef()) == nil {
				t.Error("the inventory of the other run is deleted")
			}
			if err := a.RemoveInventory(t.Context(), planRemoval(t, a)); err != nil || s.live(App().inventoryRef()) != nil {
				t.Errorf("a second run does not delete it: %v", err)
			}
		})
	}
}

// TestMarkedRemoval: what an uninstall writes before its first deletion stops an install
// that has looked before it, not another uninstall, and not one that looks after it,
// which in turn stops the uninstall.
func TestMarkedRemoval(t *testing.T) {
	for name, record := range map[string]Record{"the same inventory": {}, "another inventory": {Version: "v2"}} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			a := s.applier(Options{})
			run(t, a, testSet(), Record{})
			forget(s, RefOf(testRoute()))
			before := looked(t, s, record, testSet()...)
			one, two := planRemoval(t, a), planRemoval(t, a)
			for _, removal := range []*Removal{one, two} {
				if err := a.MarkRemoval(t.Context(), removal); err != nil {
					t.Fatal(err)
				}
			}
			wantLost(t, before.WriteInventory(t.Context(), false), "an uninstall is removing what it lists")
			run(t, s.applier(Options{}), testSet(), record) // looks now
			live := s.live(App().inventoryRef())
			if _, marked := live.GetAnnotations()[removingAnnotation]; marked {
				t.Errorf("still marked: %v", live.GetAnnotations())
			}
			wantLost(t, a.MarkRemoval(t.Context(), one), "changed the inventory of project demo")
			wantLost(t, a.RemoveInventory(t.Context(), two), "changed the inventory of project demo")

			one, two = planRemoval(t, a), planRemoval(t, a)
			for _, step := range []error{
				a.MarkRemoval(t.Context(), one), a.MarkRemoval(t.Context(), two), a.RemoveInventory(t.Context(), one), // of one, although two has marked it since
				a.RemoveInventory(t.Context(), two),
			} {
				if step != nil {
					t.Error(step)
				}
			}
			if s.live(App().inventoryRef()) != nil {
				t.Error("it is not deleted")
			}
		})
	}
}

// TestRoleAlone: a run that changes only the role writes nothing into the inventory, and
// stops if another run has marked or deleted it. One that changes nothing does not ask.
func TestRoleAlone(t *testing.T) {
	s, ended := newServer(t), Record{Version: "v1"}
	a := s.applier(Options{})
	run(t, a, testSet(), ended)
	s.seen()
	if err := looked(t, s, ended, testSet()...).WriteInventory(t.Context(), false); err != nil || count(s.seen(), "PATCH demo/configmaps", "ostoy-s3") != 0 {
		t.Errorf("written although nothing changes: %v", err)
	}
	before := dataOf(s.live(App().inventoryRef()))
	if err := looked(t, s, ended, testSet()...).WriteInventory(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	live := s.live(App().inventoryRef())
	if !maps.Equal(before, dataOf(live)) || len(live.GetAnnotations()) > 0 {
		t.Errorf("%v", live)
	}
	p := looked(t, s, ended, testSet()...)
	if err := a.MarkRemoval(t.Context(), planRemoval(t, a)); err != nil {
		t.Fatal(err)
	}
	wantLost(t, p.WriteInventory(t.Context(), true), "an uninstall is removing")
	p = looked(t, s, ended, testSet()...)
	forget(s, App().inventoryRef())
	wantLost(t, p.WriteInventory(t.Context(), true), "deleted the inventory")
}

// TestChangedByOthers: labels that somebody puts on the inventory are no race.
func TestChangedByOthers(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	label := func() {
		s.edit(App().inventoryRef(), "kubectl-label", func(o map[string]any) {
			_ = unstructured.SetNestedField(o, "blue", "metadata", "labels", "team")
		})
	}
	p := looked(t, s, Record{Version: "v2"}, testSet()...)
	label()
	execute(t, p)
	if inv, _ := a.ReadInventory(t.Context()); inv.Version != "v2" {
		t.Errorf("%+v", inv.Record)
	}
	removal := planRemoval(t, a)
	s.edit(App().inventoryRef(), "kubectl-label", func(o map[string]any) {
		unstructured.RemoveNestedField(o, "metadata", "labels", "team")
	})
	if err := a.RemoveInventory(t.Context(), removal); err != nil || s.live(App().inventoryRef()) != nil {
		t.Errorf("%v", err)
	}
}

// TestTwoFirstInstalls: two runs that found no inventory. If both record the same,
// both continue; if not, the slower one stops and leaves what the other recorded.
func TestTwoFirstInstalls(t *testing.T) {
	for name, c := range map[string]struct {
		first, second Record
		set           []*unstructured.Unstructured
		lost          bool
	}{
		"the same":             {Record{BucketOrigin: OriginCreated}, Record{BucketOrigin: OriginCreated}, testSet(), false},
		"one knows less":       {Record{ClusterID: "c"}, Record{}, testSet(), false},
		"found what was made":  {Record{Version: "v1", BucketOrigin: OriginCreated}, Record{Version: "v1", BucketOrigin: OriginAdopted}, testSet(), false},
		"another version":      {Record{Version: "v1"}, Record{Version: "v2"}, testSet(), true},
		"another set":          {Record{}, Record{}, testSet()[:3], true},
		"one knows more by id": {Record{}, Record{ClusterID: "c"}, testSet(), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			slower := looked(t, s, c.second, c.set...)
			run(t, s.applier(Options{}), testSet(), c.first)
			before := s.live(App().inventoryRef())
			if c.lost {
				wantLost(t, slower.WriteInventory(t.Context(), true), "changed the inventory")
			} else {
				execute(t, slower)
			}
			if after := s.live(App().inventoryRef()); after.GetResourceVersion() != before.GetResourceVersion() {
				t.Errorf("the slower run has written %v", dataOf(after))
			}
		})
	}
}

// TestOwnWritesFollow: each write of a run is tied to its last one, and another run
// between them is noticed.
func TestOwnWritesFollow(t *testing.T) {
	s := newServer(t)
	run(t, s.applier(Options{}), testSet(), Record{})
	p := looked(t, s, Record{}, testSet()[1:]...) // deletes nothing but forgets nothing either: the Bucket is kept
	p.Inventory.Objects = nil
	if err := p.WriteInventory(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := p.Prune(t.Context(), nil); err != nil { // its second write
		t.Fatal(err)
	}
	p = looked(t, s, Record{Version: "v2"}, testSet()...)
	if err := p.WriteInventory(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	run(t, s.applier(Options{}), testSet(), Record{Version: "v3"})
	p.Inventory.Record.Version = "v4"
	wantLost(t, p.Prune(t.Context(), nil))
}

// TestLostAnswer: a write that was carried out, whose answer was lost, and that is
// therefore sent again, conflicts with itself.
func TestLostAnswer(t *testing.T) {
	for name, again := range map[string]bool{"the first write": false, "a mark": true} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			if again {
				run(t, s.applier(Options{}), testSet(), Record{})
			}
			if again {
				forget(s, RefOf(testRoute()))
			}
			p := looked(t, s, Record{}, testSet()...)
			first := true
			s.hook = func(_ http.ResponseWriter, r *http.Request) bool {
				if !first || r.Method != http.MethodPatch || !strings.HasSuffix(r.URL.Path, "/configmaps/ostoy-s3") {
					return false
				}
				first = false
				s.mu.Lock()
				defer s.mu.Unlock()
				body := r.Clone(r.Context())
				var err error
				if body.Body, r.Body, err = twice(r.Body); err != nil {
					t.Error(err)
				}
				if _, err := s.apply(body, false); err != nil {
					t.Error(err)
				}
				return false // and now the client's second try
			}
			if err := p.WriteInventory(t.Context(), true); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestCameBack: an object that was deleted and created again by another run is not
// deleted.
func TestCameBack(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	removal := planRemoval(t, a)
	s.mu.Lock()
	s.objects[path(RefOf(testRoute()))].SetUID("uid-of-another")
	s.mu.Unlock()
	wantLost(t, a.Remove(t.Context(), removal.Objects, nil), "Route ostoy-route in demo was created again")
	if s.live(RefOf(testRoute())) == nil {
		t.Error("the object of the other run is deleted")
	}
}
