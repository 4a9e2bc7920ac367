package render

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// refusedChart checks that an error is the user's, names --chart and says why.
func refusedChart(t *testing.T, err error, why string) {
	t.Helper()
	var input *InputError
	if !errors.As(err, &input) {
		t.Fatalf("got %v, want an *InputError", err)
	}
	if !strings.Contains(input.What, "--chart") || input.Next == "" || !strings.Contains(input.Why, why) {
		t.Errorf("What %q, Why %q, Next %q; want %q in Why", input.What, input.Why, input.Next, why)
	}
	if strings.Contains(input.Why, "\n") { // what controls a terminal is replaced when it is printed
		t.Errorf("Why is more than one line: %q", input.Why)
	}
}

func TestForeignObjectsRefused(t *testing.T) {
	schema := func(text string) map[string]string {
		return map[string]string{"values.schema.json": text, "values.yaml": "a: 1\n"}
	}
	template := func(text string) map[string]string { return map[string]string{"templates/a.yaml": text} }
	for _, tc := range []struct {
		name    string
		files   map[string]string
		values  map[string]any
		release string
		why     string
	}{
		{"a value of another type", schema(`{"properties": {"a": {"type": "integer"}}}`), map[string]any{"a": "x"}, "", "at '/a': got string, want integer"},
		{"a value beside the pattern", schema(`{"properties": {"a": {"type": "string", "pattern": "^ok$"}}}`), map[string]any{"a": "secret"}, "", "at '/a'"},
		{"the chart's own value", schema(`{"properties": {"a": {"type": "string"}}}`), nil, "", "at '/a': got number, want string"},
		{"the values of a chart in it", map[string]string{
			"charts/in/Chart.yaml":         "apiVersion: v2\nname: in\nversion: 1.0.0\n",
			"charts/in/values.schema.json": `{"properties": {"a": {"type": "string"}}}`,
		}, map[string]any{"in": map[string]any{"a": 1}}, "", "at '/a'"},
		{"a schema on the network", schema(`{"$ref": "https://127.0.0.1:1/schema.json"}`), nil, "", "nothing outside of the chart is read"},
		{"a schema on the disk", schema(`{"$ref": "file:///etc/hostname"}`), nil, "", "nothing outside of the chart is read"},
		{"a schema that is none", schema(`{"type": 7}`), nil, "", "values.schema.json of it"},
		{"a schema that is not JSON", schema(`{`), nil, "", "values.schema.json of it"},
		{"a bad pattern", schema(`{"properties": {"a": {"pattern": "("}}}`), nil, "", "values.schema.json of it"},
		{"values that are none", nil, map[string]any{"a": make(chan int)}, "", "unsupported type"},
		{"a template that does not parse", template("{{ if }}"), nil, "", "templates/a.yaml"},
		{"a template that wants a value", template(`{{ required "aws.region must be set" .Values.region }}`), nil, "", "aws.region must be set"},
		{"a template that calls itself", template(`{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}`), nil, "", "templates/a.yaml"},
		{"a template with words of its own", template(`{{ fail "\x1b[2Jgone" }}`), nil, "", "[2Jgone"},
		{"not YAML", template("a: b: c"), nil, "", "it/templates/a.yaml: "},
		{"not an object", template("- a"), nil, "", "it/templates/a.yaml: "},
		{"no kind", template("apiVersion: v1\nmetadata: {name: a}"), nil, "", "lacks apiVersion, kind or metadata.name"},
		{"no name", template("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}"), nil, "", "lacks apiVersion, kind or metadata.name"},
		{"metadata that is none", template("apiVersion: v1\nkind: Pod\nmetadata: a"), nil, "", "lacks apiVersion, kind or metadata.name"},
		{"a version that is none", template("apiVersion: a/b/c\nkind: Pod\nmetadata: {name: a}"), nil, "", "apiVersion is not GROUP/VERSION"},
		{"a label that is a number", template(objectText("Pod", "a", "  labels: {a: 1}")), nil, "", `Pod "a": metadata.labels must hold strings`},
		{"a hook with a number beside it", template(objectText("Pod", "a", "  annotations: {helm.sh/hook: test, helm.sh/hook-weight: 1}")), nil, "", "metadata.annotations must hold strings"},
		{"a list of texts", template("apiVersion: v1\nkind: List\nitems: [a]"), nil, "", "not an object"},
		{"a name no release has", nil, nil, "No_Release", "No_Release"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			chart, err := LoadDir(chartOf(tc.files))
			if err != nil {
				t.Fatal(err)
			}
			if tc.release == "" {
				tc.release = "rel"
			}
			objects, err := chart.Objects(inAckSystem(), tc.release, tc.values)
			if objects != nil {
				t.Errorf("gave %v all the same", summary(objects))
			}
			refusedChart(t, err, tc.why)
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("shows a value: %v", err)
			}
		})
	}
}

// A cluster that is too old is no fault of the chart.
func TestForeignKubeVersion(t *testing.T) {
	chart, err := LoadDir(chartOf(map[string]string{"Chart.yaml": "apiVersion: v2\nname: it\nversion: 1.2.3\nkubeVersion: '>=1.99.0-0'\n"}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = chart.Objects(inAckSystem(), "rel", nil)
	var input *InputError
	if !errors.As(err, &input) || input.What != "kubernetes v1.33.4" || !strings.Contains(input.Why, ">=1.99.0-0") {
		t.Errorf("got %v", err)
	}
}

// A name that nobody can look up allows everything, as for Helm.
func TestForeignSchemaURN(t *testing.T) {
	chart, err := LoadDir(chartOf(map[string]string{"values.schema.json": `{"$ref": "urn:example:nothing"}`}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chart.Objects(inAckSystem(), "rel", nil); err != nil {
		t.Error(err)
	}
}

func TestLoadDirRefused(t *testing.T) {
	many := t.TempDir()
	for n := range maxChartFiles + 1 {
		if err := os.WriteFile(filepath.Join(many, strconv.Itoa(n)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	big := make([]byte, maxChartFile)
	heavy := fstest.MapFS{}
	for n := range maxChart/maxChartFile + 1 {
		heavy["files/"+strings.Repeat("x", n+1)] = &fstest.MapFile{Data: big}
	}
	for _, tc := range []struct {
		name string
		fsys fs.FS
		why  string
	}{
		{"empty", fstest.MapFS{}, "Chart.yaml file is missing"},
		{"Chart.yaml is not YAML", chartOf(map[string]string{"Chart.yaml": "{"}), "Chart.yaml"},
		{"no name", chartOf(map[string]string{"Chart.yaml": "apiVersion: v2\nversion: 1.0.0"}), "name"},
		{"no version", chartOf(map[string]string{"Chart.yaml": "apiVersion: v2\nname: it"}), "version"},
		{"values are not YAML", chartOf(map[string]string{"values.yaml": "- a"}), "values.yaml"},
		{"a library", chartOf(map[string]string{"Chart.yaml": "apiVersion: v2\nname: it\nversion: 1.0.0\ntype: library"}), "a library"},
		{"a chart that is not in it", chartOf(map[string]string{"Chart.yaml": "apiVersion: v2\nname: it\nversion: 1.0.0\ndependencies: [{name: common, version: 1.0.0}]"}), "the chart common"},
		{"a file too big", chartOf(map[string]string{"files/big": strings.Repeat("x", maxChartFile+1)}), "files/big has more than 5 MB"},
		{"too many files", os.DirFS(many), "more than 2000 files"},
		{"too much", heavy, "more than 64 MB"},
		{"no file", fstest.MapFS{"dev": {Mode: fs.ModeDevice}}, "dev is not a regular file"},
		{"a bad .helmignore", chartOf(map[string]string{".helmignore": "[\n"}), ".helmignore"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := LoadDir(tc.fsys)
			refusedChart(t, err, tc.why)
		})
	}
}
