package render

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// inAckSystem are facts for the namespace that ACK's documentation uses.
func inAckSystem() Facts {
	f := rosa()
	f.Namespace = Fact{Value: "ack-system", Source: "flag --namespace"}
	f.KubeVersion = Fact{Value: "v1.33.4", Source: "flag --kube-version"}
	return f
}

// s3Chart is the chart that stands for ACK's own.
func s3Chart(t *testing.T) *Foreign {
	t.Helper()
	chart, err := LoadDir(os.DirFS(filepath.Join("testdata", "s3-chart")))
	if err != nil {
		t.Fatal(err)
	}
	return chart
}

// TestForeignGolden renders the chart that stands for ACK's with values that
// people give. What helm makes of the same chart and the same values, test/chart
// holds against these files.
func TestForeignGolden(t *testing.T) {
	chart := s3Chart(t)
	if got := chart.Name() + " " + chart.Version() + " " + chart.AppVersion(); got != "s3-chart 1.10.0 1.10.0" {
		t.Errorf("the chart says it is %s", got)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "foreign", "*.values.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".values.yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var values map[string]any
			if err := yaml.Unmarshal(text, &values); err != nil {
				t.Fatal(err)
			}
			objects, err := chart.Objects(inAckSystem(), "ack-s3-controller", values)
			if err != nil {
				t.Fatal(err)
			}
			sameAsGolden(t, strings.TrimSuffix(file, ".values.yaml")+".yaml", objects)
		})
	}
}

func sameAsGolden(t *testing.T, file string, objects []*unstructured.Unstructured) {
	t.Helper()
	text, err := YAML(objects)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := Decode(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, objects); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// The same chart gives the same objects each time, and whatever the values of
// the time before were.
func TestForeignIsNotUsedUp(t *testing.T) {
	chart := s3Chart(t)
	render := func(values map[string]any) []byte {
		objects, err := chart.Objects(inAckSystem(), "ack-s3-controller", values)
		if err != nil {
			t.Fatal(err)
		}
		text, err := YAML(objects)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := render(nil)
	given := map[string]any{"aws": map[string]any{"region": "us-east-2"}, "deployment": map[string]any{"replicas": 3}}
	if other := render(given); bytes.Equal(first, other) {
		t.Error("values change nothing")
	}
	if diff := cmp.Diff(map[string]any{"aws": map[string]any{"region": "us-east-2"}, "deployment": map[string]any{"replicas": 3}}, given); diff != "" {
		t.Errorf("the values were changed:\n%s", diff)
	}
	if again := render(map[string]any{}); !bytes.Equal(first, again) {
		t.Errorf("the second time differs:\n%s", cmp.Diff(string(first), string(again)))
	}
}

// chartOf makes a chart of templates, beside what every chart has.
func chartOf(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{"Chart.yaml": {Data: []byte("apiVersion: v2\nname: it\nversion: 1.2.3\n")}}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func objectText(kind, name, more string) string {
	return "apiVersion: v1\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n" + more
}

// summary is an object as these tests see it: wave, kind, namespace/name.
func summary(objects []*unstructured.Unstructured) []string {
	var lines []string
	for _, o := range objects {
		lines = append(lines, o.GetAnnotations()[WaveAnnotation]+" "+o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName())
	}
	return lines
}

func TestForeignObjects(t *testing.T) {
	const crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n" +
		"spec: {group: example.com, names: {kind: Thing}, scope: Cluster}\n"
	for _, tc := range []struct {
		name   string
		files  map[string]string
		values map[string]any
		want   []string
	}{
		{
			"kinds in their order",
			map[string]string{
				"templates/a.yaml": objectText("Pod", "p", "---\n") + objectText("ConfigMap", "c", "---\n") + objectText("Secret", "s", "---\n") +
					objectText("Namespace", "ns", "---\n") + objectText("ServiceAccount", "sa", ""),
				"templates/b.yaml": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: cr}\n---\n" +
					"apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: rb}\n",
				"crds/things.yaml": crd,
			},
			nil,
			[]string{
				"-5 Namespace /ns", "-5 CustomResourceDefinition /things.example.com",
				"-3 ServiceAccount ack-system/sa", "-3 RoleBinding ack-system/rb", "-3 ConfigMap ack-system/c", "-3 ClusterRole /cr",
				"-2 Secret ack-system/s", "-2 Pod ack-system/p",
			},
		},
		{
			"a namespace of its own, and one that cannot be",
			map[string]string{
				"templates/a.yaml": objectText("Pod", "p", "  namespace: kube-system\n---\n") +
					"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: cr, namespace: odd}\n",
			},
			nil,
			[]string{"-3 ClusterRole /cr", "-2 Pod kube-system/p"},
		},
		{
			"a kind of the whole cluster that the chart defines",
			map[string]string{
				"crds/things.yaml": crd, "templates/a.yaml": "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\n",
			},
			nil,
			[]string{"-5 CustomResourceDefinition /things.example.com", "-2 Thing /t"},
		},
		{
			"hooks, tests, notes, partials and what is ignored are left out",
			map[string]string{
				"templates/hook.yaml":    objectText("Pod", "hook", "  annotations: {helm.sh/hook: pre-install}\n"),
				"templates/both.yaml":    objectText("Pod", "test", "  annotations: {helm.sh/hook: test}\n---\n") + objectText("Pod", "stays", "  annotations: {helm.sh/resource-policy: keep}\n"),
				"templates/_part.yaml":   objectText("Pod", "partial", ""),
				"templates/NOTES.txt":    "That was it.",
				"templates/.hidden.yaml": objectText("Pod", "hidden", ""),
				"templates/old.yaml":     objectText("Pod", "ignored", ""),
				".helmignore":            "# not in use\nold.yaml\n",
				"crds/README.md":         "no object",
			},
			nil,
			[]string{"-2 Pod ack-system/stays"},
		},
		{
			"a list is its items",
			map[string]string{
				"templates/a.yaml": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n",
			},
			nil,
			[]string{"-2 Pod ack-system/a", "-2 Pod ack-system/b"},
		},
		{
			"what a template may ask for",
			map[string]string{
				"values.yaml":      "a: {b: default, c: 1}\n",
				"templates/a.yaml": objectText("Pod", "{{ .Release.Name }}-{{ .Values.a.b }}-{{ .Values.a.c }}-{{ .Chart.Version }}-{{ .Capabilities.KubeVersion.Minor }}", "---\n") + `{{ if .Capabilities.APIVersions.Has "route.openshift.io/v1" }}` + objectText("Pod", "openshift-{{ .Release.IsInstall }}-{{ .Release.Namespace }}", "") + "{{ end }}",
			},
			map[string]any{"a": map[string]any{"b": "given"}},
			[]string{"-2 Pod ack-system/openshift-true-ack-system", "-2 Pod ack-system/rel-given-1-1.2.3-33"},
		},
		{
			"charts in it, as its values and conditions say",
			map[string]string{
				"Chart.yaml":                      "apiVersion: v2\nname: it\nversion: 1.2.3\ndependencies:\n- {name: used, version: 1.0.0, condition: used.enabled}\n- {name: unused, version: 1.0.0, condition: unused.enabled}\n",
				"values.yaml":                     "used: {enabled: true, who: us}\nunused: {enabled: false}\n",
				"charts/used/Chart.yaml":          "apiVersion: v2\nname: used\nversion: 1.0.0\n",
				"charts/used/templates/a.yaml":    objectText("Pod", "used-{{ .Values.who }}", ""),
				"charts/used/templates/NOTES.txt": "notes",
				"charts/unused/Chart.yaml":        "apiVersion: v2\nname: unused\nversion: 1.0.0\n",
				"charts/unused/templates/a.yaml":  objectText("Pod", "unused", ""),
			},
			map[string]any{"used": map[string]any{"who": "them"}},
			[]string{"-2 Pod ack-system/used-them"},
		},
		{"nothing at all", nil, nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			chart, err := LoadDir(chartOf(tc.files))
			if err != nil {
				t.Fatal(err)
			}
			objects, err := chart.Objects(inAckSystem(), "rel", tc.values)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, summary(objects)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Helm's name goes wherever the chart wrote it, and only there.
func TestForeignIsNobodysRelease(t *testing.T) {
	chart, err := LoadDir(chartOf(map[string]string{"templates/a.yaml": `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: a
  labels: {app.kubernetes.io/managed-by: {{ .Release.Service }}, tool: Helm}
  annotations: {argocd.argoproj.io/sync-wave: "7", note: kept}
spec:
  selector: {matchLabels: {app.kubernetes.io/managed-by: {{ .Release.Service }}}}
  template: {metadata: {labels: {app.kubernetes.io/managed-by: {{ .Release.Service }}}}}
---
apiVersion: v1
kind: Service
metadata: {name: a, labels: {app.kubernetes.io/managed-by: somebody}}
spec: {selector: {app.kubernetes.io/managed-by: Helm}, ports: [{port: 18446744073709551615}]}
`}))
	if err != nil {
		t.Fatal(err)
	}
	objects, err := chart.Objects(inAckSystem(), "rel", nil)
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]any{TagManagedBy: ManagedBy}
	want := []*unstructured.Unstructured{
		{Object: map[string]any{
			"apiVersion": "v1", "kind": "Service",
			"metadata": map[string]any{
				"name": "a", "namespace": "ack-system",
				"labels":      map[string]any{TagManagedBy: "somebody"},
				"annotations": map[string]any{WaveAnnotation: "-2"},
			},
			"spec": map[string]any{"selector": ours, "ports": []any{map[string]any{"port": float64(1 << 64)}}},
		}},
		{Object: map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment",
			"metadata": map[string]any{
				"name": "a", "namespace": "ack-system",
				"labels":      map[string]any{TagManagedBy: ManagedBy, "tool": "Helm"},
				"annotations": map[string]any{WaveAnnotation: "-2", "note": "kept"},
			},
			"spec": map[string]any{
				"selector": map[string]any{"matchLabels": ours},
				"template": map[string]any{"metadata": map[string]any{"labels": ours}},
			},
		}},
	}
	if diff := cmp.Diff(want, objects); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, object := range objects {
		object.DeepCopy() // panics at a type that JSON does not have
	}
}

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
	if strings.ContainsFunc(input.Why, func(r rune) bool { return r == '\x1b' }) {
		t.Errorf("Why would move the cursor: %q", input.Why)
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
		{"a template that moves the cursor", template(`{{ fail "\x1b[2Jgone" }}`), nil, "", "[2Jgone"},
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
