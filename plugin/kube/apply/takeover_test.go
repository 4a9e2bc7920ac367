package apply

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// engineSet is the set as an engine applies it, with its own labels or annotations,
// and a label from Git that install does not state.
func engineSet(labels, annotations map[string]string) []*unstructured.Unstructured {
	all := testSet()
	for _, o := range all {
		noted := o.GetAnnotations()
		for key, value := range annotations {
			noted[key] = value
		}
		o.SetAnnotations(noted)
		o.SetLabels(map[string]string{"team": "blue"})
		for key, value := range labels {
			o.SetLabels(map[string]string{"team": "blue", key: value})
		}
	}
	return all
}

// TestTakeOver: after one run with ForceOwner nothing names the engine any more, so
// that the next run and uninstall need no flag, whether install was first or not.
func TestTakeOver(t *testing.T) {
	for name, engine := range map[string]struct {
		manager             string
		applied             bool
		labels, annotations map[string]string
	}{
		"Flux":    {"kustomize-controller", true, map[string]string{fluxName: "demo"}, nil},
		"Argo CD": {"argocd-controller", true, nil, map[string]string{argoTracking: "demo:/Service:demo/x"}},
		"Helm":    {"helm", false, nil, map[string]string{helmRelease: "x", helmReleaseIn: "demo"}},
	} {
		for _, first := range []bool{true, false} {
			s := newServer(t)
			if first {
				run(t, s.applier(Options{}), testSet(), Record{})
			}
			for _, o := range engineSet(engine.labels, engine.annotations) {
				s.put(o, engine.manager, engine.applied)
			}
			p := run(t, s.applier(Options{ForceOwner: true}), testSet(), Record{})
			for _, it := range p.Items {
				if !it.Takes() || it.Action != Update || it.Why != TakenOver+" from "+name {
					t.Errorf("%s: %s %s, %q", name, it.Ref, it.Action, it.Why)
				}
				wantTaken(t, name, s.live(it.Ref), engine.labels, engine.annotations)
			}
			again, err := plan(t, s.applier(Options{}), testSet(), Record{})
			if err != nil || again.Changed() {
				t.Errorf("%s: changed %t, %v", name, err == nil && again.Changed(), err)
			}
			removal, err := s.applier(Options{}).PlanRemoval(t.Context(), Inventory{})
			if err != nil || len(removal.Kept) > 0 || len(removal.Objects) != 3 || removal.Bucket == nil {
				t.Errorf("%s: %+v, %v", name, removal, err)
			}
		}
	}
}

func wantTaken(t *testing.T, engine string, live *unstructured.Unstructured, labels, annotations map[string]string) {
	t.Helper()
	if names := managerNames(live); !slices.Equal(names, []string{Manager}) || DeliveredBy(live) != "" {
		t.Errorf("%s: %s is managed by %q", engine, live.GetName(), names)
	}
	for key := range labels {
		if _, there := live.GetLabels()[key]; there {
			t.Errorf("%s: %s has still the label %s", engine, live.GetName(), key)
		}
	}
	for key := range annotations {
		if _, there := live.GetAnnotations()[key]; there {
			t.Errorf("%s: %s has still the annotation %s", engine, live.GetName(), key)
		}
	}
	if live.GetLabels()["team"] != "blue" {
		t.Errorf("%s: %s has lost a label that came from Git", engine, live.GetName())
	}
}

// TestTakeOverInterrupted: a run that ended between the two requests is continued
// without the flag.
func TestTakeOverInterrupted(t *testing.T) {
	s := newServer(t)
	for _, o := range engineSet(map[string]string{fluxName: "demo"}, nil) {
		s.put(o, "kustomize-controller", true)
	}
	a := s.applier(Options{ForceOwner: true})
	p, err := plan(t, a, testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range p.Items {
		if err := takeOver(t.Context(), a, it); err != nil {
			t.Fatal(err)
		}
	}
	run(t, s.applier(Options{}), testSet(), Record{})
	for _, o := range testSet() {
		wantTaken(t, "Flux", s.live(RefOf(o)), map[string]string{fluxName: ""}, nil)
	}
}

// TestLeftovers: what an engine has left and no manager owns means nothing.
func TestLeftovers(t *testing.T) {
	noted := map[string]string{argoTracking: "x", helmRelease: "x"}
	entry := func(manager string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{
			Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, FieldsType: "FieldsV1",
			FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:annotations":{".":{},"f:` + argoTracking + `":{}},"f:labels":{"f:` + fluxName + `":{}}}}`),
		}
	}
	for name, c := range map[string]struct {
		annotations map[string]string
		managers    []metav1.ManagedFieldsEntry
		want        string
	}{
		"nothing":             {nil, nil, ""},
		"owned by nobody":     {noted, nil, ""},
		"owned by ostoy-s3":   {noted, []metav1.ManagedFieldsEntry{entry(Manager)}, ""},
		"after a release":     {noted, []metav1.ManagedFieldsEntry{entry(Releaser)}, ""},
		"a label set by hand": {nil, []metav1.ManagedFieldsEntry{entry("kubectl-label")}, ""},
		"annotated for Argo":  {noted, []metav1.ManagedFieldsEntry{entry("kubectl-annotate")}, "Argo CD"},
		"applied by Flux":     {nil, []metav1.ManagedFieldsEntry{entry("kustomize-controller")}, "Flux"},
	} {
		object := &unstructured.Unstructured{Object: map[string]any{}}
		object.SetLabels(map[string]string{fluxName: "x"})
		object.SetAnnotations(c.annotations)
		object.SetManagedFields(c.managers)
		if by := DeliveredBy(object); by != c.want {
			t.Errorf("%s: by %q, want %q", name, by, c.want)
		}
	}
}
