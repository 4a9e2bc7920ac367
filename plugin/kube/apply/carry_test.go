package apply

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// fromS3 are settings that a bucket had before its Bucket resource.
func fromS3() (spec map[string]any, tags map[string]string) {
	return map[string]any{
		"versioning": map[string]any{"status": "Enabled"},
		"cors":       map[string]any{"corsRules": []any{map[string]any{"allowedMethods": []any{"GET"}}}},
	}, map[string]string{"team": "blue", "app": "x"}
}

// appBucket is the Bucket of the app.
func appBucket() *unstructured.Unstructured {
	object := testBucket()
	_ = unstructured.SetNestedSlice(object.Object, []any{map[string]any{"key": "ostoy-s3/namespace", "value": "demo"}}, "spec", tagging, tagSet)
	return object
}

func wantCarried(t *testing.T, s *server) {
	t.Helper()
	live := s.live(RefOf(appBucket()))
	spec, tags := fromS3()
	for field, value := range spec {
		if is, _, _ := unstructured.NestedFieldCopy(live.Object, "spec", field); !reflect.DeepEqual(is, value) {
			t.Errorf("spec.%s is %v", field, is)
		}
	}
	tags["ostoy-s3/namespace"] = "demo"
	if is := tagsOf(live); !reflect.DeepEqual(is, tags) {
		t.Errorf("tags %v, want %v", is, tags)
	}
	if !Ours(live) {
		t.Error("it is not ours")
	}
}

// adopt plans an install that creates the Bucket with what S3 has.
func adopt(t *testing.T, a *Applier) *Plan {
	t.Helper()
	p, err := plan(t, a, []*unstructured.Unstructured{appBucket()}, Record{})
	if err != nil {
		t.Fatal(err)
	}
	spec, tags := fromS3()
	if err := Carry(t.Context(), p, spec, tags); err != nil {
		t.Fatal(err)
	}
	if it := item(t, p, "Bucket"); !it.Carries() || it.Would == nil {
		t.Errorf("%+v", it)
	}
	return p
}

// TestCarry: what an S3 bucket had is in the first version of its Bucket resource, which
// the controller acts on, and belongs to the second field manager afterwards: later
// installs leave it, and what another manager applies is a conflict.
func TestCarry(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	first := true
	s.hook = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/buckets/demo-bucket") && r.URL.Query().Get("dryRun") == "" && first {
			if first = false; r.URL.Query().Get("fieldManager") != Adopter {
				t.Errorf("the first version is by %s", r.URL.Query().Get("fieldManager"))
			}
		}
		return false
	}
	execute(t, adopt(t, a))
	wantCarried(t, s)
	live := s.live(RefOf(appBucket()))
	if fields := adoptedSpec(live); len(fields) != 3 || fields[tagging] == nil {
		t.Errorf("the second manager has %v", fields)
	}
	for range 2 {
		p, err := plan(t, a, []*unstructured.Unstructured{appBucket()}, Record{})
		if err != nil || p.Changed() {
			t.Fatalf("%v, %v", actions(p), err)
		}
		execute(t, p)
		wantCarried(t, s)
	}
	if _, err := merge(live, appBucket(), "kubectl", false); err == nil || !strings.Contains(err.Error(), ".spec.tagging.tagSet") || !strings.Contains(err.Error(), Adopter) {
		t.Errorf("kubectl apply --server-side: %v", err)
	}
}

// TestCarriedTagsAreSorted: the list is that of a chart that is given the tags.
func TestCarriedTagsAreSorted(t *testing.T) {
	s := newServer(t)
	execute(t, adopt(t, s.applier(Options{})))
	list, _, _ := unstructured.NestedSlice(s.live(RefOf(appBucket())).Object, "spec", tagging, tagSet)
	var keys []string
	for _, tag := range list {
		fields, _ := tag.(map[string]any)
		key, _ := fields["key"].(string)
		keys = append(keys, key)
	}
	if len(keys) < 3 || !slices.IsSorted(keys) {
		t.Errorf("%v", keys)
	}
}

// TestCarryChangedTags: a tag of the app that changes leaves the others, and who has them.
func TestCarryChangedTags(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	execute(t, adopt(t, a))
	changed := appBucket()
	_ = unstructured.SetNestedSlice(changed.Object, []any{map[string]any{"key": "ostoy-s3/cluster-id", "value": "c"}}, "spec", tagging, tagSet)
	for n := range 2 {
		p, err := plan(t, a, []*unstructured.Unstructured{changed}, Record{})
		if err != nil || p.Changed() != (n == 0) {
			t.Fatalf("%v, %v", actions(p), err)
		}
		execute(t, p)
	}
	live := s.live(RefOf(changed))
	if is := tagsOf(live); !reflect.DeepEqual(is, map[string]string{"ostoy-s3/cluster-id": "c", "team": "blue", "app": "x"}) {
		t.Errorf("%v", is)
	}
	if fields := adoptedSpec(live); fields["cors"] == nil || fields["versioning"] == nil || fields[tagging] == nil {
		t.Errorf("the second manager has %v", fields)
	}
}

// TestCarryKilled: a run that ends after any of the requests has lost nothing, and the next
// one goes on; a field of the app that changes later is no conflict.
func TestCarryKilled(t *testing.T) {
	for requests := range 3 {
		s := newServer(t)
		a := s.applier(Options{})
		p := adopt(t, a)
		sent := 0
		s.hook = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPatch || !strings.HasSuffix(r.URL.Path, "/buckets/demo-bucket") {
				return false
			}
			if sent++; sent > requests+1 {
				http.Error(w, "killed", http.StatusForbidden)
				return true
			}
			return false
		}
		_ = p.WriteInventory(t.Context(), false)
		_ = p.ApplyWave(t.Context(), 0, nil)
		s.hook = nil
		again, err := plan(t, a, []*unstructured.Unstructured{appBucket()}, Record{})
		if err != nil {
			t.Fatalf("after %d: %v", requests+1, err)
		}
		execute(t, again)
		wantCarried(t, s)
		changed := appBucket()
		_ = unstructured.SetNestedField(changed.Object, "other", "spec", "policy")
		next, err := plan(t, a, []*unstructured.Unstructured{changed}, Record{})
		if err != nil {
			t.Fatalf("after %d: %v", requests+1, err)
		}
		execute(t, next)
		wantCarried(t, s)
		if policy, _, _ := unstructured.NestedString(s.live(RefOf(changed)).Object, "spec", "policy"); policy != "other" {
			t.Errorf("after %d: the policy is %q", requests+1, policy)
		}
	}
}

// TestCarryRefused: what the API server does not take is an error before anything is
// written; a plan that creates no Bucket carries nothing.
func TestCarryRefused(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	p, err := plan(t, a, []*unstructured.Unstructured{appBucket()}, Record{})
	if err != nil {
		t.Fatal(err)
	}
	s.hook = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("fieldManager") != Adopter {
			return false
		}
		answer(w, http.StatusForbidden, map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "Forbidden", "code": http.StatusForbidden, "message": "ValidatingAdmissionPolicy denied"})
		return true
	}
	spec, tags := fromS3()
	if err := Carry(t.Context(), p, spec, tags); err == nil {
		t.Error("not refused")
	}
	if s.live(RefOf(appBucket())) != nil {
		t.Error("it was written")
	}
	s.hook = nil
	execute(t, adopt(t, a))
	p, err = plan(t, a, []*unstructured.Unstructured{appBucket()}, Record{})
	if err != nil || Carry(t.Context(), p, spec, tags) != nil || slices.ContainsFunc(p.Items, (*Item).Carries) || Whole(p, spec, tags) != nil {
		t.Errorf("%v, %v", actions(p), err)
	}
}
