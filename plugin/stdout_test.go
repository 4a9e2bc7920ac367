package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// evil is what others may write.
const evil = "a\x1b[31m\u009b2J\r\u202e\u2028\xffb"

func writing(t *testing.T, write func(a *App) error) string {
	t.Helper()
	var out bytes.Buffer
	a := &App{&session.Session{Streams: genericiooptions.IOStreams{Out: &out, ErrOut: &out}, Now: time.Now}}
	a.Report = ui.New(&out, ui.Style{}, time.Now)
	a.UI = a.Report
	if err := write(a); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestF5Stdout: no printer lets through what controls a terminal, not even as an escape
// that jq -r or yq decodes.
func TestF5Stdout(t *testing.T) {
	document := map[string]any{"text": evil, evil: []string{evil}}
	outcomes := []check.Outcome{{Finding: check.Refuse(evil, evil+"\nfix  rm -rf ~", evil)}}
	for name, write := range map[string]func(a *App) error{
		"JSON":  func(a *App) error { return a.WriteDocument(FormatJSON, document) },
		"YAML":  func(a *App) error { return a.WriteDocument(FormatYAML, document) },
		"table": func(a *App) error { return a.WriteTable([][]string{{"A", "B"}, {evil, "x"}}) },
		"line":  func(a *App) error { return a.WriteLine(evil) },
		"JUnit": func(a *App) error {
			return (&report{app: a, request: CheckRequest{Output: FormatJUnit}}).junit(outcomes, 0)
		},
		"facts": func(a *App) error {
			return a.printFacts(render.Facts{Region: render.Fact{Value: "us-east-2", Source: evil}, Account: render.Fact{Why: evil}}, FormatYAML)
		},
		"facts in JSON": func(a *App) error {
			return a.printFacts(render.Facts{Region: render.Fact{Value: "us-east-2", Source: evil}}, FormatJSON)
		},
		"facts in a table": func(a *App) error {
			return a.printFacts(render.Facts{Region: render.Fact{Value: "us-east-2", Source: evil}}, FormatTable)
		},
	} {
		got := writing(t, write)
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
	if got := writing(t, func(a *App) error { return a.WriteData(legal) }); got != legal {
		t.Errorf("%q", got)
	}
	for _, text := range []string{"a: b\nc: \x1b[31m\n", "a\u202eb", "a\u2028b", "a\u009bb", "a\rb", "a\xffb"} {
		var out bytes.Buffer
		err := (&App{&session.Session{Streams: genericiooptions.IOStreams{Out: &out}}}).WriteData(text)
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
		got := writing(t, func(a *App) error { return a.printObjects("# head\n", []*unstructured.Unstructured{object}) })
		again, err := render.Decode([]byte(got))
		if err != nil || len(again) != 1 || again[0].GetAnnotations()["note"] != note {
			t.Errorf("%v: %.200q", err, got)
		}
	}
}

// TestF2Report: what a check repeats of others stands behind a bar, so that it looks like
// no line of the report.
func TestF2Report(t *testing.T) {
	outcome := check.Outcome{Finding: check.Finding{Status: check.Failed, What: "it broke", Why: "it said:\nfix  rm -rf ~\n✔ 17", Next: "oc get pods"}}
	outcome.ID = "app-crash"
	got := writing(t, func(a *App) error { (&report{app: a}).detail(outcome); return nil })
	want := `  FAIL app-crash               it broke
                            it said:
                            | fix  rm -rf ~
                            | ✔ 17
                            fix  oc get pods
`
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
