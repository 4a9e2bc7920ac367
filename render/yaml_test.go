package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// TestYAMLAsKubernetesWritesIt holds our shorter way to the bytes of the
// library that everything else of Kubernetes writes YAML with.
func TestYAMLAsKubernetesWritesIt(t *testing.T) {
	hard := &unstructured.Unstructured{Object: map[string]any{
		"strings": []any{"", " ", "yes", "0x10", "1e3", "2001-01-01", "null", "~", "a: b", "- a", "#", "<&>\u2028", "ü\t", "two\nlines\n", "\nfirst empty", "ends in space "},
		"numbers": []any{int64(0), int64(-1), int64(1) << 60, 0.5, 1e21, 3.0},
		"others":  []any{true, false, nil, map[string]any{}, []any{}},
		"keys":    map[string]any{"a10": "x", "a9": "x", "true": "x", "7": "x", "A": "x"},
	}}
	for _, object := range append(objectsOf(t, rosa(), Options{IncludeNamespace: true}), hard) {
		got, err := YAML([]*unstructured.Unstructured{object})
		if err != nil {
			t.Fatal(err)
		}
		want, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("---\n"+string(want), string(got)); diff != "" {
			t.Errorf("%s %s (-Kubernetes +ours):\n%s", object.GetKind(), object.GetName(), diff)
		}
	}
}

// TestDecodeSplitsAsKubectl wants the same objects however the documents of a
// stream are separated.
func TestDecodeSplitsAsKubectl(t *testing.T) {
	one := "kind: A\ntext: |\n  ---- not a separator\n"
	for name, c := range map[string]struct {
		stream string
		kinds  []string
	}{
		"empty":             {"", nil},
		"one":               {"kind: A\n", []string{"A"}},
		"led":               {"---\n" + one, []string{"A"}},
		"comment on it":     {one + "--- # next\nkind: B\n", []string{"A", "B"}},
		"empty between":     {one + "---\n\n---\n# nothing\n---\nkind: B", []string{"A", "B"}},
		"no separator":      {one, []string{"A"}},
		"of another system": {"kind: A\r\n---\r\nkind: B\r\n", []string{"A", "B"}},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := Decode([]byte(c.stream))
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, object := range objects {
				kinds = append(kinds, object.GetKind())
			}
			if diff := cmp.Diff(c.kinds, kinds); diff != "" {
				t.Errorf("kinds (-want +got):\n%s", diff)
			}
		})
	}
}
