package render

import (
	"bytes"
	"os"
	"path/filepath"
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
