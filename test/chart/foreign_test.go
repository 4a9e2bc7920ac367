package chart_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	managedBy = "app.kubernetes.io/managed-by"
	wave      = "argocd.argoproj.io/sync-wave"
)

// What the plugin makes of somebody else's chart is what helm makes of it, but
// for the differences that it says it has. Its objects are the golden files
// that the tests of package render hold it to.
func TestHelmAndForeignAgree(t *testing.T) {
	testdata := filepath.Join(root(t), "render", "testdata")
	files, err := filepath.Glob(filepath.Join(testdata, "foreign", "*.values.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	chart := filepath.Join(testdata, "s3-chart")
	for _, values := range files {
		name := strings.TrimSuffix(filepath.Base(values), ".values.yaml")
		t.Run(name, func(t *testing.T) {
			text, err := helm(t, "template", "ack-s3-controller", chart, "--namespace", "ack-system", "--values", values,
				"--kube-version", "v1.33.4", "--include-crds", "--no-hooks", "--skip-tests")
			if err != nil {
				t.Fatalf("helm template: %v\n%s", err, text)
			}
			golden, err := os.ReadFile(filepath.Join(testdata, "foreign", name+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			ours := decode(t, string(golden))
			if diff := cmp.Diff(asOurs(t, decode(t, text)), withoutWaves(t, ours)); diff != "" {
				t.Errorf("objects differ (-helm +render):\n%s", diff)
			}
		})
	}
	if text, err := helm(t, "lint", "--strict", chart); err != nil {
		t.Errorf("helm lint: %v\n%s", err, text)
	}
}

// asOurs changes helm's objects as render says that it does: the namespace
// where there is none, and who manages them.
func asOurs(t *testing.T, objects map[string]any) map[string]any {
	t.Helper()
	changed := map[string]any{}
	for key, object := range objects {
		kind, name, _ := strings.Cut(key, " /")
		// Of the kinds in this chart.
		if global := strings.HasPrefix(kind, "Cluster") || kind == "CustomResourceDefinition"; name != "" && !global {
			metadata(t, object)["namespace"] = "ack-system"
			key = kind + " ack-system/" + name
		}
		rename(object)
		changed[key] = object
	}
	return changed
}

func rename(value any) {
	switch v := value.(type) {
	case map[string]any:
		if v[managedBy] == "Helm" {
			v[managedBy] = "ostoy-s3"
		}
		for _, inner := range v {
			rename(inner)
		}
	case []any:
		for _, inner := range v {
			rename(inner)
		}
	}
}

// withoutWaves takes away what helm has nothing like, and asks that each object
// had it.
func withoutWaves(t *testing.T, objects map[string]any) map[string]any {
	t.Helper()
	for key, object := range objects {
		metadata := metadata(t, object)
		annotations, _ := metadata["annotations"].(map[string]any)
		if annotations[wave] == nil {
			t.Errorf("%s has no wave", key)
		}
		delete(annotations, wave)
		if len(annotations) == 0 {
			delete(metadata, "annotations")
		}
	}
	return objects
}

func metadata(t *testing.T, object any) map[string]any {
	t.Helper()
	content, _ := object.(map[string]any)
	metadata, ok := content["metadata"].(map[string]any)
	if !ok {
		t.Fatalf("%v has no metadata", object)
	}
	return metadata
}
