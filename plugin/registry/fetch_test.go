package registry

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func write(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFetchArchive(t *testing.T) {
	data := archive("chart")
	path := write(t, filepath.Join(t.TempDir(), "s3-chart-1.10.0.tgz"), data)
	chart, err := Fetch(t.Context(), path, "1.10.0")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(chart.Archive, data) || chart.Dir != nil || chart.From != path {
		t.Errorf("got %d bytes, files %v, from %s", len(chart.Archive), chart.Dir, chart.From)
	}
}

func TestFetchDir(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "Chart.yaml"), []byte("name: a"))
	write(t, filepath.Join(dir, "templates", "a.yaml"), []byte("kind: A"))
	secret := write(t, filepath.Join(t.TempDir(), "secret"), []byte("secret"))
	if err := os.Symlink(secret, filepath.Join(dir, "templates", "leak.yaml")); err != nil {
		t.Fatal(err)
	}
	chart, err := Fetch(t.Context(), dir+"/", "")
	if err != nil {
		t.Fatal(err)
	}
	if chart.Archive != nil || chart.From != dir {
		t.Errorf("got %d bytes, from %s", len(chart.Archive), chart.From)
	}
	var names []string
	if err := fs.WalkDir(chart.Dir, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"Chart.yaml", "templates/a.yaml", "templates/leak.yaml"}; !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	if data, err := fs.ReadFile(chart.Dir, "templates/a.yaml"); err != nil || string(data) != "kind: A" {
		t.Errorf("templates/a.yaml: %q, %v", data, err)
	}
	if data, err := fs.ReadFile(chart.Dir, "templates/leak.yaml"); err == nil {
		t.Errorf("a link out of the chart was followed: %q", data)
	}
}

func TestFetchPathRefused(t *testing.T) {
	dir := t.TempDir()
	text := write(t, filepath.Join(dir, "values.yaml"), []byte("a: b"))
	big := write(t, filepath.Join(dir, "big.tgz"), append(archive("x"), make([]byte, maxArchive)...))
	odd := filepath.Join(dir, "odd")
	write(t, filepath.Join(odd, "Chart.yaml", "a"), nil)
	for _, tc := range []struct {
		name, ref string
		want      told
	}{
		{"nothing", "", told{problem.Usage, "--chart", "a folder, a .tgz file, or oci://", "oci://public.ecr.aws"}},
		{"a chart repository", "https://charts.example.com/s3", told{problem.Usage, "https://charts.example.com/s3", "oci://", "oci://public.ecr.aws"}},
		{"no such path", filepath.Join(dir, "none"), told{problem.Usage, "none", "no such file", "check the path"}},
		{"no Chart.yaml", dir, told{problem.Usage, dir, "no Chart.yaml", "the folder"}},
		{"not an archive", text, told{problem.Usage, text, "not a gzipped archive", "helm pull"}},
		{"too big", big, told{problem.Usage, big, "more than 20 MB", "helm pull"}},
		{"a file for a folder", text + "/x", told{problem.Usage, "values.yaml", "cannot be read: not a directory", "rights"}},
		{"no file", os.DevNull, told{problem.Usage, os.DevNull, "neither a file nor a folder", ".tgz"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Fetch(t.Context(), tc.ref, "")
			tc.want.hold(t, err)
		})
	}
}

func TestHighest(t *testing.T) {
	for _, tc := range []struct {
		want string
		tags []string
	}{
		{"", nil},
		{"", []string{"latest", "1", "1.2", "sha256-00.sig", "1.2.3.4"}},
		{"1.10.0", []string{"1.9.0", "1.10.0", "1.2.0"}},
		{"v1.10.0", []string{"1.9.0", "v1.10.0"}},
		{"1.10.0", []string{"1.10.0", "v1.10.0"}},
		{"1.9.0", []string{"1.9.0", "2.0.0-rc.1", "2.0.0-alpha"}},
		{"2.0.0-rc.1", []string{"2.0.0-alpha", "2.0.0-rc.1"}},
		{"1.0.1_b", []string{"1.0.0", "1.0.1_b"}},
	} {
		if got := highest(tc.tags); got != tc.want {
			t.Errorf("highest of %q is %q, want %q", tc.tags, got, tc.want)
		}
	}
}
