package apply

import (
	"net/http"
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// wipe plays OLM before 0.33: the account is there as it makes it, and nothing in
// its managedFields names us.
func (s *server) wipe(account *unstructured.Unstructured, content map[string]any) {
	s.mu.Lock()
	delete(s.objects, path(RefOf(account)))
	s.mu.Unlock()
	s.put(object("v1", "ServiceAccount", account.GetName(), "", content), "olm", false)
}

func isAccount(obj *unstructured.Unstructured) bool { return obj.GetKind() == "ServiceAccount" }

// TestShared: what another program writes as well is put right, changed and
// removed; without that word for it, it is somebody else's.
func TestShared(t *testing.T) {
	for _, shared := range []bool{false, true} {
		s := newServer(t)
		opts := Options{}
		if shared {
			opts.Shared = isAccount
		}
		a := s.controller(opts)
		ref := RefOf(testAccount())
		run(t, a, testController(), Record{})
		s.wipe(testAccount(), map[string]any{"secrets": []any{map[string]any{"name": "dockercfg"}}})

		r, err := a.PlanRemovalOf(t.Context(), []Ref{ref}, Inventory{})
		if err != nil || (len(r.Objects) == 1) != shared || (len(r.Kept) == 1) == shared {
			t.Fatalf("shared %t: %+v, %v", shared, r, err)
		}
		changed, err := a.Change(t.Context(), ref, func(*unstructured.Unstructured) map[string]any {
			return map[string]any{"metadata": map[string]any{"annotations": map[string]any{"seen": "yes"}}}
		})
		if err != nil || (changed != nil) != shared {
			t.Errorf("shared %t: changed %v, %v", shared, changed, err)
		}
		if _, err := a.Make(t.Context(), testAccount()); (err == nil) != shared {
			t.Errorf("shared %t: made, %v", shared, err)
		}
		s.wipe(testAccount(), map[string]any{"secrets": []any{map[string]any{"name": "dockercfg"}}})
		p, err := plan(t, a, testController(), Record{})
		if !shared {
			wantProblem(t, err, problem.Refused, "ServiceAccount ack-s3-controller in demo is not ours", "olm")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if it := item(t, p, "ServiceAccount"); it.Action != Update || len(it.Changes) == 0 {
			t.Errorf("%+v", it)
		}
		run(t, a, testController(), Record{})
		if live := s.live(ref); !Ours(live) || live.GetAnnotations()["eks.amazonaws.com/role-arn"] == "" {
			t.Errorf("not put back: %v", live.GetAnnotations())
		}
	}
}

// TestSharedIsPruned: what is left out of a later set goes, too; data of that
// sort is kept, and stays on record.
func TestSharedIsPruned(t *testing.T) {
	for _, shared := range []bool{false, true} {
		s := newServer(t)
		run(t, s.controller(Options{}), testController(), Record{})
		for _, obj := range []*unstructured.Unstructured{testAccount(), testDefinition()} {
			s.mu.Lock()
			delete(s.objects, path(RefOf(obj)))
			s.mu.Unlock()
			s.put(obj, "olm", false)
		}
		opts := Options{Shared: func(*unstructured.Unstructured) bool { return shared }}
		p := run(t, s.controller(opts), []*unstructured.Unstructured{testClusterRole()}, Record{})
		if gone := s.live(RefOf(testAccount())) == nil; gone != shared {
			t.Errorf("shared %t: gone %t", shared, gone)
		}
		if on := slices.Contains(p.Inventory.Objects, RefOf(testDefinition())); on != shared || s.live(RefOf(testDefinition())) == nil {
			t.Errorf("shared %t: the definition is on record: %t", shared, on)
		}
	}
}

// TestSharedConflicts: a value that the other program set is put right, before
// and after the plan; one that an applier holds is not.
func TestSharedConflicts(t *testing.T) {
	theirs := map[string]any{"metadata": map[string]any{
		"name": "ack-s3-controller", "namespace": testNamespace,
		"annotations": map[string]any{"eks.amazonaws.com/role-arn": "another"},
	}}
	role := func(s *server) string {
		return s.live(RefOf(testAccount())).GetAnnotations()["eks.amazonaws.com/role-arn"]
	}
	for _, shared := range []bool{false, true} {
		opts := Options{Shared: func(obj *unstructured.Unstructured) bool { return shared && isAccount(obj) }}
		s := newServer(t)
		a := s.controller(opts)
		s.wipe(testAccount(), theirs)
		if _, err := plan(t, a, testController(), Record{}); (err == nil) != shared {
			t.Errorf("shared %t: planned, %v", shared, err)
		}

		s = newServer(t)
		a = s.controller(opts)
		p, err := plan(t, a, testController(), Record{})
		if err != nil {
			t.Fatal(err)
		}
		s.wipe(testAccount(), theirs) // somebody is faster
		err = p.ApplyWave(t.Context(), 0, nil)
		if (err == nil) != shared || (role(s) == "another") == shared {
			t.Errorf("shared %t: %v, it has %s", shared, err, role(s))
		}
		if !shared {
			wantProblem(t, err, problem.Failed, "ServiceAccount ack-s3-controller", `conflict with "olm"`)
		}
	}
	s := newServer(t)
	s.put(object("v1", "ServiceAccount", "ack-s3-controller", "", theirs), "kubectl", true)
	_, err := plan(t, s.controller(Options{Shared: isAccount}), testController(), Record{})
	wantProblem(t, err, problem.Refused, "role-arn", "kubectl", "--force-conflicts")
}

// TestSharedAsItIs: where the other program wrote what we would, our name is what
// is missing, and nobody is joined.
func TestSharedAsItIs(t *testing.T) {
	s := newServer(t)
	s.put(testAccount(), "olm", false)
	joined, err := plan(t, s.controller(Options{}), testController(), Record{})
	if err != nil || item(t, joined, "ServiceAccount").Why != TakenAsItIs {
		t.Errorf("%v", err)
	}
	a := s.controller(Options{Shared: isAccount})
	p, err := plan(t, a, testController(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	if it := item(t, p, "ServiceAccount"); it.Action != Update || it.Why != "" || len(it.Owned) == 0 || len(it.Changes) > 0 {
		t.Errorf("%+v", it)
	}
	s.hook = func(w http.ResponseWriter, r *http.Request) bool {
		dry := r.URL.Query().Get("dryRun") != ""
		if dry {
			answerError(w, apierrors.NewBadRequest("admission webhook x does not support dry run"))
		}
		return dry
	}
	if p, err = plan(t, a, testController(), Record{}); err != nil || item(t, p, "ServiceAccount").Why == "" {
		t.Errorf("where dry runs are not possible: %v", err)
	}
}
