package differ

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func object(kind string, metadata, rest map[string]any) *unstructured.Unstructured {
	o := map[string]any{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"name": "x", "namespace": "demo"}}
	for key, value := range metadata {
		o["metadata"].(map[string]any)[key] = value
	}
	for key, value := range rest {
		o[key] = value
	}
	return &unstructured.Unstructured{Object: o}
}

func pair(t *testing.T, live, would *unstructured.Unstructured) Pair {
	t.Helper()
	p, err := Objects(live, would)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestUnifiedDiff(t *testing.T) {
	live := object("ConfigMap", nil, map[string]any{"data": map[string]any{"a": "1", "b": "same"}})
	would := object("ConfigMap", nil, map[string]any{"data": map[string]any{"a": "2", "b": "same"}})
	same := Pair{Name: "same", Before: "a\n", After: "a\n"}
	got := string(Unified([]Pair{same, pair(t, live, would)}))
	want := `diff live/v1.ConfigMap.demo.x merged/v1.ConfigMap.demo.x
--- live/v1.ConfigMap.demo.x
+++ merged/v1.ConfigMap.demo.x
@@ -1,6 +1,6 @@
 apiVersion: v1
 data:
-  a: "1"
+  a: "2"
   b: same
 kind: ConfigMap
 metadata:
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNewAndWhatGoes(t *testing.T) {
	o := object("ConfigMap", nil, nil)
	for _, c := range []struct {
		name        string
		live, would *unstructured.Unstructured
		sign        string
	}{{"new", nil, o, "+kind: ConfigMap"}, {"goes", o, nil, "-kind: ConfigMap"}} {
		p := pair(t, c.live, c.would)
		if got := string(Unified([]Pair{p})); !p.Differs() || !strings.Contains(got, "\n"+c.sign+"\n") {
			t.Errorf("%s: no %q in\n%s", c.name, c.sign, got)
		}
	}
	if p := pair(t, nil, nil); p.Differs() {
		t.Errorf("nothing at all differs: %+v", p)
	}
}

// TestNoiseIsHidden: what the server and controllers write is no difference, and
// the objects that were given stay as they are.
func TestNoiseIsHidden(t *testing.T) {
	live := object("ConfigMap", map[string]any{
		"resourceVersion": "7", "uid": "u", "generation": int64(3), "creationTimestamp": "2026-01-02T03:04:05Z",
		"managedFields": []any{map[string]any{"manager": "m"}}, "labels": map[string]any{"a": "b"},
	}, map[string]any{"status": map[string]any{"ready": true}})
	p := pair(t, live, object("ConfigMap", map[string]any{"labels": map[string]any{"a": "b"}}, nil))
	if p.Differs() {
		t.Errorf("noise differs:\n%s", Unified([]Pair{p}))
	}
	if live.GetUID() != "u" || live.Object["status"] == nil {
		t.Error("the object itself was changed")
	}
}

func TestNamesAreThoseOfKubectl(t *testing.T) {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "x", "namespace": "demo"}}}
	if got := pair(t, o, nil).Name; got != "apps.v1.Deployment.demo.x" {
		t.Error(got)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	live := object("Secret", map[string]any{"annotations": map[string]any{"kubectl.kubernetes.io/last-applied-configuration": "told: secret-0", "same": "secret-1"}}, map[string]any{
		"data": map[string]any{"same": "secret-1", "changes": "secret-2", "goes": "secret-3"},
	})
	would := object("Secret", map[string]any{"annotations": map[string]any{"same": "secret-1"}}, map[string]any{
		"data":       map[string]any{"same": "secret-1", "changes": "secret-4-is-longer", "comes": "secret-5"},
		"stringData": map[string]any{"plain": "secret-6"},
	})
	p := pair(t, live, would)
	got := string(Unified([]Pair{p}))
	for _, line := range []string{"   same: '***'", "-  changes: '*** (before)'", "+  changes: '*** (after)'", "-  goes: '***'", "+  comes: '***'", "+  plain: '***'"} {
		if !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
	if strings.Contains(p.Before+p.After, "secret-") {
		t.Errorf("a value is told:\n%s", got)
	}
	if data, _, _ := unstructured.NestedString(live.Object, "data", "same"); data != "secret-1" {
		t.Error("the object itself was masked")
	}
}

// TestStrangeSecretsAreMasked: a Secret whose data is no map cannot be, and is
// not told either.
func TestStrangeSecretsAreMasked(t *testing.T) {
	p := pair(t, object("Secret", nil, map[string]any{"data": "secret-1"}), object("Secret", nil, map[string]any{"data": map[string]any{"a": "secret-2"}}))
	if !p.Differs() || strings.Contains(p.Before+p.After, "secret-") {
		t.Errorf("%+v", p)
	}
	if p := pair(t, nil, object("Secret", nil, map[string]any{"data": map[string]any{"a": "secret-2"}})); strings.Contains(p.After, "secret-") {
		t.Errorf("%+v", p)
	}
}

// TestWhyIsAComment: above what differs, in lines that patch(1) passes over.
func TestWhyIsAComment(t *testing.T) {
	got := string(Unified([]Pair{{Name: "a", Why: "one\ntwo", Before: "x\n", After: "y\n"}, {Name: "b", Why: "no", Before: "x\n", After: "x\n"}}))
	if want := "# one\n# two\ndiff live/a merged/a\n"; !strings.HasPrefix(got, want) || strings.Contains(got, "# no") {
		t.Errorf("it is %q", got)
	}
}

// TestF5Annotations: nobody can keep others from seeing a diff by a character that YAML
// refuses, and none of them is lost.
func TestF5Annotations(t *testing.T) {
	const evil = "a\u009b\x1b[2J\u0085\ufffe\ufeff\u202e\u2028漢字 \\u001b"
	object := &unstructured.Unstructured{Object: map[string]any{"kind": "ConfigMap", "metadata": map[string]any{"name": "c", "annotations": map[string]any{"note": evil}}}}
	pair, err := Objects(nil, object)
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := yaml.Unmarshal([]byte(pair.After), &back); err != nil {
		t.Fatal(err)
	}
	got, _, _ := unstructured.NestedString(back, "metadata", "annotations", "note")
	if got != evil {
		t.Errorf("%q from %s", got, pair.After)
	}
}
