package apply

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// failFirst makes the first n requests that match fail.
func failFirst(n int, match func(*http.Request) bool, fail func(http.ResponseWriter)) func(http.ResponseWriter, *http.Request) bool {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if n == 0 || !match(r) {
			return false
		}
		n--
		fail(w)
		return true
	}
}

func isWrite(r *http.Request) bool { return r.Method == http.MethodPatch }

func cut(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func statusOf(err error) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { answerError(w, err) }
}

func TestRacesAreRun(t *testing.T) {
	for name, fail := range map[string]error{
		"modified":       apierrors.NewConflict(schema.GroupResource{}, "x", errors.New("the object has been modified")),
		"already exists": apierrors.NewAlreadyExists(schema.GroupResource{}, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.hook = failFirst(3, isWrite, statusOf(fail))
			run(t, s.applier(Options{}), testSet(), Record{})
			if s.live(RefOf(testDeployment())) == nil {
				t.Error("not applied")
			}
		})
	}
}

func TestFailuresThatDoNotPassAreTold(t *testing.T) {
	s := newServer(t)
	forbidden := apierrors.NewForbidden(schema.GroupResource{Group: "s3.services.k8s.aws", Resource: "buckets"}, "demo-bucket",
		errors.New(`User "bob" cannot patch resource "buckets" in API group "s3.services.k8s.aws" in the namespace "demo"`))
	s.hook = failFirst(-1, func(r *http.Request) bool { return isWrite(r) && strings.Contains(r.URL.Path, "buckets") }, statusOf(forbidden))
	p, err := plan(t, s.applier(Options{}), testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	var applied []string
	err = p.ApplyWave(t.Context(), 0, func(e Event) { applied = append(applied, e.Ref.Kind) })
	wantProblem(t, err, problem.Failed, "Bucket demo-bucket could not be applied", "cannot patch resource", "controller install")
	if len(applied) != 2 {
		t.Errorf("the rest of the wave is not applied: %v", applied)
	}
	if n := count(s.seen(), "PATCH demo/buckets", ""); n != 1 {
		t.Errorf("tried %d times", n)
	}
}

func TestServerThatStaysAway(t *testing.T) {
	s := newServer(t)
	s.hook = failFirst(-1, isWrite, cut)
	p, err := plan(t, s.applier(Options{}), testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	wantProblem(t, p.WriteInventory(t.Context(), false), problem.Failed, "ConfigMap ostoy-s3", "did not answer")
	if n := count(s.seen(), "PATCH", ""); n != 1 { // what passes is package cluster's to repeat
		t.Errorf("tried %d times", n)
	}
}

func TestInterruptPassesUnchanged(t *testing.T) {
	s := newServer(t)
	p, err := plan(t, s.applier(Options{}), testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.hook = failFirst(-1, isWrite, func(w http.ResponseWriter) { cancel(); statusOf(apierrors.NewServiceUnavailable("x"))(w) })
	for _, err := range []error{p.WriteInventory(ctx, false), p.ApplyWave(ctx, 0, nil)} {
		var three *problem.Error
		if !errors.Is(err, context.Canceled) || errors.As(err, &three) {
			t.Errorf("%#v", err)
		}
	}
}

// All objects of a wave are on their way at once, and so are the reads and
// dry runs of a plan: each request waits until all have arrived.
func TestAtTheSameTime(t *testing.T) {
	s := newServer(t)
	barrier := func(n int, match func(*http.Request) bool) {
		var all sync.WaitGroup
		all.Add(n)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hook = func(_ http.ResponseWriter, r *http.Request) bool {
			if match(r) {
				all.Done()
				all.Wait()
			}
			return false
		}
	}
	a := s.applier(Options{})
	barrier(5, func(r *http.Request) bool { return r.Method == http.MethodGet })
	p, err := a.Plan(t.Context(), testSet(), Inventory{}, Record{})
	if err != nil {
		t.Fatal(err)
	}
	barrier(3, isWrite)
	if err := p.ApplyWave(t.Context(), 0, nil); err != nil {
		t.Fatal(err)
	}
	barrier(2, isWrite)
	if err := p.ApplyWave(t.Context(), 1, nil); err != nil {
		t.Fatal(err)
	}
	barrier(5, isWrite)
	if _, err := a.Plan(t.Context(), testSet(), Inventory{}, Record{}); err != nil {
		t.Fatal(err)
	}
}

func TestEditBetweenPlanAndApply(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	changed := testBucket()
	_ = unstructured.SetNestedField(changed.Object, false, "spec", "publicAccessBlock", "blockPublicACLs")
	set := append([]*unstructured.Unstructured{changed}, testSet()[1:]...)

	edit := func(manager string, applied bool) {
		theirs := testBucket()
		_ = unstructured.SetNestedField(theirs.Object, "theirs", "spec", "publicAccessBlock", "blockPublicACLs")
		s.put(theirs, manager, applied)
	}
	p, err := plan(t, a, set, Record{})
	if err != nil {
		t.Fatal(err)
	}
	edit("kubectl-edit", false)
	if err := p.ApplyWave(t.Context(), 0, nil); err != nil {
		t.Fatal(err)
	}
	if v, _, _ := unstructured.NestedFieldNoCopy(s.live(RefOf(changed)).Object, "spec", "publicAccessBlock", "blockPublicACLs"); v != false {
		t.Errorf("%v", v)
	}

	p, err = plan(t, a, testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	edit("kubectl", true)
	wantProblem(t, p.ApplyWave(t.Context(), 0, nil), problem.Failed, "blockPublicACLs", "kubectl")
}

func TestSomebodyElseMakesItMeanwhile(t *testing.T) {
	s := newServer(t)
	p, err := plan(t, s.applier(Options{}), testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	theirs := testRoute()
	_ = unstructured.SetNestedField(theirs.Object, "elsewhere", "spec", "to", "name")
	s.put(theirs, "kubectl-create", false)
	wantProblem(t, p.ApplyWave(t.Context(), 0, nil), problem.Failed, "Route ostoy-route", "kubectl-create")
}
