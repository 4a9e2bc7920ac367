package apply

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const client = "kubectl-client-side-apply"

// madeByHand puts a Route as kubectl applies it on the client's side, with a field and
// a label that we do not state.
func (s *server) madeByHand() Ref {
	route := object("route.openshift.io/v1", "Route", "ostoy-route", "", map[string]any{"spec": map[string]any{
		"to": map[string]any{"name": "theirs"}, "path": "/theirs",
	}})
	route.SetLabels(map[string]string{"theirs": "yes"})
	route.SetAnnotations(map[string]string{lastApplied: "{}"})
	s.put(route, client, false)
	return RefOf(route)
}

// named recognises what is not labelled as somebody's.
func named(o *unstructured.Unstructured) string {
	if owner := o.GetLabels()["owner"]; owner != "" {
		return "it is " + owner + "'s"
	}
	return ""
}

// TestAdopt: what we state becomes ours alone, what only they stated stays theirs, and
// kubectl's note goes. The plan tells it beforehand, and a second run has nothing to do.
func TestAdopt(t *testing.T) {
	s := newServer(t)
	ref := s.madeByHand()
	a := s.applier(Options{Recognise: named, Adopt: true})
	p, err := plan(t, a, testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	it := item(t, p, "Route")
	if !it.Adopts() || it.Why != Adopted || it.Action != Update || it.Would.GetAnnotations()[lastApplied] != "" || item(t, p, "Bucket").Adopts() {
		t.Errorf("%+v", it)
	}
	if !slices.ContainsFunc(it.Changes, func(c FieldChange) bool { return c.Path == "spec.to.name" && c.Before == "theirs" }) {
		t.Errorf("changes %+v", it.Changes)
	}
	if Ours(s.live(ref)) {
		t.Fatal("the plan has written")
	}
	run(t, a, testSet(), Record{})
	live := s.live(ref)
	if to, _, _ := unstructured.NestedString(live.Object, "spec", "to", "name"); to != "ostoy" || live.GetLabels()["theirs"] != "yes" {
		t.Errorf("%v", live.Object)
	}
	if _, there := live.GetAnnotations()[lastApplied]; there {
		t.Error("kubectl's note is still there")
	}
	if have := Setters(live, "spec", "to", "name"); !slices.Equal(have, []string{Manager}) {
		t.Errorf("the target is set by %v", have)
	}
	for _, place := range [][]string{{"spec", "path"}, {"metadata", "labels", "theirs"}} {
		if have := Setters(live, place...); !slices.Equal(have, []string{client}) {
			t.Errorf("%v is set by %v", place, have)
		}
	}
	again, err := plan(t, s.applier(Options{Recognise: named}), testSet(), Record{})
	if err != nil || again.Changed() {
		t.Errorf("%v, %v", again, err)
	}
}

// TestAdoptTakesFromKubectlsServerSide: an applier that is somebody's own tool gives
// way; any other does not.
func TestAdoptTakesFromKubectlsServerSide(t *testing.T) {
	for manager, taken := range map[string]bool{"kubectl": true, "somebodys-operator": false} {
		s := newServer(t)
		route := testRoute()
		_ = unstructured.SetNestedField(route.Object, "theirs", "spec", "to", "name")
		s.put(route, manager, true)
		_, err := plan(t, s.applier(Options{Recognise: named, Adopt: true}), testSet(), Record{})
		if taken && err != nil {
			t.Error(err)
		}
		if !taken {
			wantProblem(t, err, problem.Refused, "Route ostoy-route", "set by somebodys-operator")
		}
	}
}

// TestAdoptRefuses what is not recognised, and says so; without leave, what is
// recognised names the way in.
func TestAdoptRefuses(t *testing.T) {
	s := newServer(t)
	ref := s.madeByHand()
	_, err := plan(t, s.applier(Options{Recognise: named}), testSet(), Record{})
	wantProblem(t, err, problem.Refused, "Route ostoy-route in demo is not ours", "oc ostoy-s3 install -n demo --adopt")
	if !errors.Is(err, ErrAdoptable) {
		t.Error("it is not marked as adoptable")
	}
	s.edit(ref, client, func(o map[string]any) {
		_ = unstructured.SetNestedField(o, "team", "metadata", "labels", "owner")
	})
	for _, adopt := range []bool{false, true} {
		_, err := plan(t, s.applier(Options{Recognise: named, Adopt: adopt}), testSet(), Record{})
		wantProblem(t, err, problem.Refused, "Route ostoy-route in demo is not ours", "--force-conflicts")
		if errors.Is(err, ErrAdoptable) || strings.Contains(err.Error(), "it is team's") != adopt {
			t.Errorf("adopt %t: %v", adopt, err)
		}
	}
}

// TestAdoptIsCutOff between handing over and applying: the object is ours by then, and
// a run without leave goes on.
func TestAdoptIsCutOff(t *testing.T) {
	s := newServer(t)
	ref := s.madeByHand()
	a := s.applier(Options{Recognise: named, Adopt: true})
	p, err := plan(t, a, testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	if err := handOver(t.Context(), a, item(t, p, "Route")); err != nil {
		t.Fatal(err)
	}
	if live := s.live(ref); !Ours(live) || strings.Contains(p.Inventory.Data()["objects"], "theirs") {
		t.Errorf("%v", live.GetManagedFields())
	}
	run(t, s.applier(Options{Recognise: named}), testSet(), Record{})
	if have := Setters(s.live(ref), "spec", "to", "name"); !slices.Equal(have, []string{Manager}) {
		t.Errorf("the target is set by %v", have)
	}
}

// TestAdoptAsksAgain: somebody else takes the object between plan and apply.
func TestAdoptAsksAgain(t *testing.T) {
	s := newServer(t)
	ref := s.madeByHand()
	a := s.applier(Options{Recognise: named, Adopt: true})
	p, err := plan(t, a, testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	s.edit(ref, client, func(o map[string]any) {
		_ = unstructured.SetNestedField(o, "team", "metadata", "labels", "owner")
	})
	wantProblem(t, p.ApplyWave(t.Context(), 0, nil), problem.Refused, "Route ostoy-route in demo is not ours", "it is team's")
	if Ours(s.live(ref)) {
		t.Error("it was taken all the same")
	}
}

// TestAdoptIsRaced: a hand-over that came too late is made anew.
func TestAdoptIsRaced(t *testing.T) {
	s := newServer(t)
	ref := s.madeByHand()
	raced := false
	s.hook = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Content-Type") == "application/merge-patch+json" && !raced {
			raced = true
			s.edit(ref, client, func(o map[string]any) {
				_ = unstructured.SetNestedField(o, "/newer", "spec", "path")
			})
		}
		return false
	}
	run(t, s.applier(Options{Recognise: named, Adopt: true}), testSet(), Record{})
	if path, _, _ := unstructured.NestedString(s.live(ref).Object, "spec", "path"); !raced || path != "/newer" || !Ours(s.live(ref)) {
		t.Errorf("raced %t, path %s", raced, path)
	}
}
