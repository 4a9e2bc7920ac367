package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// evil is what others may write.
const evil = "a\x1b[31m\u009b2J\r\u202e\u2028\xffb"

// written is what goes to stdout.
func written(t *testing.T, write func(s *Session) error) string {
	t.Helper()
	var out bytes.Buffer
	if err := write(&Session{Streams: genericiooptions.IOStreams{Out: &out}}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestF5Stdout: no printer lets through what controls a terminal, not even as an escape
// that jq -r or yq decodes.
func TestF5Stdout(t *testing.T) {
	document := map[string]any{"text": evil, evil: []string{evil}}
	for name, write := range map[string]func(s *Session) error{
		"JSON":  func(s *Session) error { return s.WriteJSON(document) },
		"YAML":  func(s *Session) error { return s.WriteDocument(FormatYAML, document) },
		"table": func(s *Session) error { return s.WriteTable([][]string{{"A", "B"}, {evil, "x"}}) },
		"line":  func(s *Session) error { return s.WriteLine(evil) },
		"text":  func(s *Session) error { return s.WriteText(evil) },
	} {
		got := written(t, write)
		if strings.ContainsAny(got, "\x1b\u009b\r\u202e\u2028\ufffd") || strings.Contains(got, "\xff") || !strings.Contains(got, "b") {
			t.Errorf("%s: %q", name, got)
		}
		decoded := map[string]any{}
		if err := yaml.Unmarshal([]byte(got), &decoded); err != nil {
			continue
		}
		text, err := json.Marshal(decoded)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(`\u00`)) || bytes.Contains(text, []byte(`\u20`)) || bytes.Contains(text, []byte("\u009b")) {
			t.Errorf("%s decodes to %s", name, text)
		}
	}
}

// TestF5Data: what other programs read is written byte for byte, or not at all.
func TestF5Data(t *testing.T) {
	const legal = "# ü 漢字 → ✔\nkind: x\n\tkey: \"\\e[31m\" # an escape, in letters\n"
	if got := written(t, func(s *Session) error { return s.WriteData(legal) }); got != legal {
		t.Errorf("%q", got)
	}
	for _, text := range []string{"a: b\nc: \x1b[31m\n", "a\u202eb", "a\u2028b", "a\u009bb", "a\rb", "a\xffb"} {
		var out bytes.Buffer
		err := (&Session{Streams: genericiooptions.IOStreams{Out: &out}}).WriteData(text)
		told := (*problem.Error)(nil)
		if !errors.As(err, &told) || told.Kind != problem.Usage || out.Len() > 0 {
			t.Errorf("%q: %v, and %q is written", text, err, out.String())
		}
	}
}

// TestF5Manifests: an annotation with any character is printed, as an escape if a terminal
// does not show it.
func TestF5Manifests(t *testing.T) {
	var every strings.Builder
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if !plain.Shows(r) && utf8.ValidRune(r) {
			every.WriteString("a" + string(r))
		}
	}
	for _, note := range []string{every.String(), "שלום\u200f!", "two\nlines\u2028"} {
		object := &unstructured.Unstructured{Object: map[string]any{"kind": "X", "metadata": map[string]any{"annotations": map[string]any{"note": note}}}}
		got := written(t, func(s *Session) error { return s.WriteObjects("# head\n", []*unstructured.Unstructured{object}) })
		again, err := render.Decode([]byte(got))
		if err != nil || !strings.HasPrefix(got, "# head\n") || len(again) != 1 || again[0].GetAnnotations()["note"] != note {
			t.Errorf("%v: %.200q", err, got)
		}
	}
}

// TestF5Columns: each row of a table stays one line, and its cells are aligned.
func TestF5Columns(t *testing.T) {
	const poison = advicetest.Quotes + advicetest.Lines + advicetest.Control
	for _, line := range Columns([][]string{{poison, poison}}) {
		if strings.ContainsAny(line, "\n\x1b\u202e") {
			t.Errorf("%q", line)
		}
	}
	if got := Columns([][]string{{"A", "B", "C"}, {"ü漢", "", "x"}}); got[0] != "A   B  C" || got[1] != "ü漢     x" {
		t.Errorf("%q", got)
	}
}
