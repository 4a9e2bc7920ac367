package render

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// TestYAMLAsKubernetesWritesIt holds our shorter way to the bytes of the
// library that everything else of Kubernetes writes YAML with.
func TestYAMLAsKubernetesWritesIt(t *testing.T) {
	hard := &unstructured.Unstructured{Object: map[string]any{
		"strings": []any{"", " ", "yes", "0x10", "1e3", "2001-01-01", "null", "~", "a: b", "- a", "#", "<&>", "ü\t", "two\nlines\n", "\nfirst empty", "ends in space "},
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

// TestF5YAMLEscapes: what a reader would not see as it is is an escape, in values and keys,
// and the same again when it is read.
func TestF5YAMLEscapes(t *testing.T) {
	for _, r := range []rune{0x61c, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069, 0x2028, 0x2029, 0xfffd, 0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1fffe, 0x10ffff} {
		for _, text := range []string{"%", "% שלום", "a: % \"quoted\" 'x'", "two\nlines %\n", "x0x \\uFFFFx1xu200Fx1x %%", "long " + strings.Repeat("word ", 60) + "%"} {
			text = strings.ReplaceAll(text, "%", string(r))
			object := &unstructured.Unstructured{Object: map[string]any{
				"kind": "X", "metadata": map[string]any{"annotations": map[string]any{text: text, "other": "\u0001\u0085 é 😀"}}, "list": []any{text, int64(1), nil},
			}}
			got, err := YAML([]*unstructured.Unstructured{object})
			if err != nil || bytes.ContainsFunc(got, unseen) {
				t.Fatalf("%U: %v, %s", r, err, got)
			}
			again, err := Decode(got)
			if err != nil || len(again) != 1 {
				t.Fatalf("%U: %v, %s", r, err, got)
			}
			if diff := cmp.Diff(object.Object, again[0].Object); diff != "" {
				t.Errorf("%U (-want +got): %s\n%s", r, diff, got)
			}
		}
	}
	got, err := Document(map[string]any{"note": "שלום\u200f!"})
	if want := "note: \"שלום\\u200F!\"\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
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
