package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

const root = "../../.."

func TestChoices(t *testing.T) {
	got, err := choices([]byte(schema))
	if diff := cmp.Diff([]string{"expose=auto", "expose=ingress", "readOnlyRootFilesystem=true"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, text := range []string{"{}", "no schema"} {
		if got, err := choices([]byte(text)); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// TestEveryKindIsScanned renders the variants with the real plugin: each kind that
// the chart has a template for is among them, and each that the controller's objects
// are tested with.
func TestEveryKindIsScanned(t *testing.T) {
	s := scan{schema: filepath.Join(root, "charts/ostoy-s3/values.schema.json")}
	var err error
	if s.plugin, err = run.Build(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.schema)
	if err != nil {
		t.Fatal(err)
	}
	list, err := variants(text)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, v := range list {
		if err := s.render(t.Context(), folder, v); err != nil {
			t.Errorf("%s: %v", v.name, err)
		}
	}
	wanted := kinds(t, filepath.Join(root, "charts/ostoy-s3/templates/*.yaml"))
	maps.Copy(wanted, kinds(t, filepath.Join(root, "render/operator/testdata/golden/*.yaml")))
	printed := kinds(t, filepath.Join(folder, "*.yaml"))
	for kind, where := range wanted {
		if printed[kind] == "" {
			t.Errorf("no variant prints a %s (%s); there are %v", kind, where, slices.Sorted(maps.Keys(printed)))
		}
	}
}

// kinds are the kinds of objects in files, each with a file that has it.
func kinds(t *testing.T, pattern string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^kind: (\w+)$`).FindAllSubmatch(text, -1) {
			found[string(match[1])] = file
		}
	}
	if len(found) < 5 {
		t.Fatalf("%s: only %v", pattern, found)
	}
	return found
}
