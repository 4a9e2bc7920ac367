package apply

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	invalid "k8s.io/apimachinery/pkg/util/validation/field"
)

// recreating is the Deployment with the strategy of the chart.
func recreating() *unstructured.Unstructured {
	d := testDeployment()
	_ = unstructured.SetNestedField(d.Object, "Recreate", "spec", "strategy", "type")
	return d
}

// rolling is a Deployment whose strategy somebody has changed, and a server that refuses
// Recreate beside the settings of a rolling update, as the real one does.
func rolling(t *testing.T, by string) (*server, *Applier) {
	t.Helper()
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, []*unstructured.Unstructured{recreating()}, Record{})
	ref := RefOf(recreating())
	s.edit(ref, by, func(d map[string]any) {
		_ = unstructured.SetNestedMap(d, map[string]any{"type": "RollingUpdate", "rollingUpdate": map[string]any{"maxSurge": "25%"}}, "spec", "strategy")
	})
	// The real one has a schema, so that nothing of the strategy stays ours.
	for n, entry := range s.objects[path(ref)].GetManagedFields() {
		raw := bytes.Replace(entry.FieldsV1.GetRawBytes(), []byte(`"f:strategy":{},`), nil, 1)
		all := s.objects[path(ref)].GetManagedFields()
		all[n].FieldsV1 = metav1.NewFieldsV1(string(raw))
		s.objects[path(ref)].SetManagedFields(all)
	}
	s.hook = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Content-Type") != string(types.ApplyYAMLPatchType) || !strings.Contains(r.URL.Path, "deployments") || r.URL.Query().Get("force") != "true" {
			return false
		}
		if _, rolls, _ := unstructured.NestedMap(s.live(ref).Object, "spec", "strategy", "rollingUpdate"); !rolls {
			return false
		}
		answerError(w, apierrors.NewInvalid(schema.GroupKind{Group: "apps", Kind: "Deployment"}, ref.Name, invalid.ErrorList{
			invalid.Forbidden(invalid.NewPath("spec", "strategy", "rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'"),
		}))
		return true
	}
	s.seen()
	return s, a
}

// TestClashSetByHand: settings that people made beside what is applied, and with which the
// API server accepts nothing that is applied, are removed first; the plan shows it.
func TestClashSetByHand(t *testing.T) {
	s, a := rolling(t, "kubectl-patch")
	p, err := plan(t, a, []*unstructured.Unstructured{recreating()}, Record{})
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{}
	for _, change := range p.Items[0].Changes {
		paths = append(paths, change.Path)
	}
	if slices.Sort(paths); p.Items[0].Action != Update || !slices.Equal(paths, []string{"spec.strategy.rollingUpdate", "spec.strategy.type"}) {
		t.Errorf("%s %v", p.Items[0].Action, paths)
	}
	if requests := s.seen(); slices.ContainsFunc(requests, func(r string) bool { return strings.HasPrefix(r, "PATCH") && !strings.HasSuffix(r, " dry") }) {
		t.Errorf("planning wrote: %v", requests)
	}
	execute(t, p)
	live := s.live(RefOf(recreating()))
	if strategy, _, _ := unstructured.NestedMap(live.Object, "spec", "strategy"); !reflect.DeepEqual(strategy, map[string]any{"type": "Recreate"}) || !Ours(live) {
		t.Errorf("%v", strategy)
	}
	if again := run(t, a, []*unstructured.Unstructured{recreating()}, Record{}); again.Changed() {
		t.Errorf("%+v", again.Items[0].Changes)
	}
}

// TestClashOfOthers: what another program has set stays, and the API server's refusal is
// reported.
func TestClashOfOthers(t *testing.T) {
	s, a := rolling(t, "rollouts-operator")
	_, err := plan(t, a, []*unstructured.Unstructured{recreating()}, Record{})
	if err == nil || !strings.Contains(err.Error(), "rollingUpdate") {
		t.Errorf("%v", err)
	}
	if strategy, _, _ := unstructured.NestedString(s.live(RefOf(recreating())).Object, "spec", "strategy", "type"); strategy != "RollingUpdate" {
		t.Errorf("%v", strategy)
	}
}

// TestCleared: what contradicts goes by its name, or, where the API server names what is
// stated, what is beside it; everything else stays.
func TestCleared(t *testing.T) {
	parse := func(text string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{}
		if err := json.Unmarshal([]byte(text), &o.Object); err != nil {
			t.Fatal(err)
		}
		return o
	}
	const managers = `"metadata": {"managedFields": [{"manager": "kubectl-edit", "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {
		"f:env": {"k:{\"name\":\"B\"}": {"f:valueFrom": {}}}, "f:volumes": {"k:{\"name\":\"v\"}": {"f:hostPath": {}}}}}}]}, `
	live := parse(`{` + managers + `"spec": {"env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {}}}, {"name": "HERS", "valueFrom": {}}],
		"volumes": [{"name": "v", "hostPath": {"path": "/x"}, "emptyDir": {}}]}}`)
	stated := parse(`{"spec": {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "volumes": [{"name": "v", "emptyDir": {}}]}}`)
	for name, c := range map[string]struct {
		fields []string
		want   string // the spec; "": nothing is removed
	}{
		"a second source": {
			[]string{"spec.env[1].valueFrom"},
			`{"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "HERS", "valueFrom": {}}], "volumes": [{"name": "v", "hostPath": {"path": "/x"}, "emptyDir": {}}]}`,
		},
		"one of two": {
			[]string{"spec.env[0].name", "spec.env[1].valueFrom"},
			`{"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "HERS", "valueFrom": {}}], "volumes": [{"name": "v", "hostPath": {"path": "/x"}, "emptyDir": {}}]}`,
		},
		"the stated one is named": {
			[]string{"spec.volumes[0].emptyDir"},
			`{"env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {}}}, {"name": "HERS", "valueFrom": {}}], "volumes": [{"name": "v", "emptyDir": {}}]}`,
		},
		"beside nothing that is stated": {[]string{"spec.env[2].valueFrom"}, ""},
		"not there":                     {[]string{"spec.env[0].valueFrom"}, ""},
		"out of range":                  {[]string{"spec.env[7].valueFrom"}, ""},
		"another form":                  {[]string{"spec.env[B].valueFrom"}, ""},
		"an element":                    {[]string{"spec.env[1]"}, ""},
	} {
		got := cleared(live, stated, c.fields)
		switch {
		case c.want == "" && got != nil:
			t.Errorf("%s: %v", name, got.Object["spec"])
		case c.want != "" && (got == nil || !reflect.DeepEqual(got.Object["spec"], parse(`{"spec": ` + c.want + `}`).Object["spec"])):
			t.Errorf("%s: %v", name, got)
		}
	}
}
