package render

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// entry is one file of an archive.
type entry struct {
	name string
	data []byte
	kind byte
}

// packed makes a gzipped tar archive, of whatever is given.
func packed(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var data bytes.Buffer
	zipped := gzip.NewWriter(&data)
	w := tar.NewWriter(zipped)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: 0o644, Size: int64(len(e.data))}
		if e.kind == tar.TypeSymlink {
			header.Linkname = "/etc/hostname"
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func file(name, text string) entry { return entry{name, []byte(text), tar.TypeReg} }

const chartYAML = "apiVersion: v2\nname: it\nversion: 1.2.3\n"

// A packed chart is the unpacked one.
func TestLoadArchive(t *testing.T) {
	dir := filepath.Join("testdata", "s3-chart")
	files, err := readDir(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	for _, f := range files {
		entries = append(entries, entry{"s3-chart/" + f.name, f.data, tar.TypeReg})
	}
	chart, err := LoadArchive(packed(t, entries...))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{"aws": map[string]any{"region": "us-east-2"}}
	got, err := chart.Objects(inAckSystem(), "rel", values)
	if err != nil {
		t.Fatal(err)
	}
	want, err := s3Chart(t).Objects(inAckSystem(), "rel", values)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("(-folder +archive):\n%s", diff)
	}
}

// A chart in the chart may be packed, too.
func TestLoadArchiveInArchive(t *testing.T) {
	inner := packed(t, file("in/Chart.yaml", "apiVersion: v2\nname: in\nversion: 1.0.0\n"), file("in/templates/a.yaml", objectText("Pod", "inner", "")))
	chart, err := LoadArchive(packed(t, file("it/Chart.yaml", chartYAML), entry{"it/charts/in-1.0.0.tgz", inner, tar.TypeReg}))
	if err != nil {
		t.Fatal(err)
	}
	objects, err := chart.Objects(inAckSystem(), "rel", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"-2 Pod ack-system/inner"}, summary(objects)); diff != "" {
		t.Error(diff)
	}
}

func TestLoadArchiveRefused(t *testing.T) {
	good := file("it/Chart.yaml", chartYAML)
	zeros := func(name string) entry { return entry{name, make([]byte, maxChartFile), tar.TypeReg} }
	heavy := []entry{good}
	for n := range maxChart/maxChartFile + 1 {
		heavy = append(heavy, zeros(fmt.Sprintf("it/files/%d", n)))
	}
	many := []entry{good}
	for n := range maxChartFiles {
		many = append(many, file(fmt.Sprintf("it/files/%d", n), ""))
	}
	// A small archive of small archives, each of which Helm would take for itself.
	inner := packed(t, zeros("in/a"), zeros("in/b"), zeros("in/c"))
	nested := []entry{good}
	for n := range 5 {
		nested = append(nested, entry{fmt.Sprintf("it/charts/in%d.tgz", n), inner, tar.TypeReg})
	}
	deep := packed(t, good)
	for range maxChartDepth {
		deep = packed(t, good, entry{"it/charts/it-1.2.3.tgz", deep, tar.TypeReg})
	}
	whole := packed(t, good, file("it/templates/a.yaml", objectText("Pod", "a", "")))
	for _, tc := range []struct {
		name string
		data []byte
		why  string
	}{
		{"nothing", nil, "EOF"},
		{"text", []byte("<html>"), "EOF"},
		{"more text", bytes.Repeat([]byte("<html>"), 100), "gzip"},
		{"half of it", whole[:len(whole)/2], "EOF"},
		{"no files", packed(t), "no files"},
		{"no Chart.yaml", packed(t, file("it/values.yaml", "")), "Chart.yaml"},
		{"files without a folder", packed(t, file("Chart.yaml", chartYAML)), ""},
		{"a path that goes up", packed(t, good, file("it/../../etc/passwd", "x")), "parent directory"},
		{"a path that goes up, as on Windows", packed(t, good, file(`it\..\..\etc\passwd`, "x")), "parent directory"},
		{"an absolute path", packed(t, good, file("it//etc/passwd", "x")), "absolute"},
		{"a drive", packed(t, good, file("it/c:/passwd", "x")), "illegally named"},
		{"a file too big", packed(t, good, entry{"it/big", make([]byte, maxChartFile+1), tar.TypeReg}), "more than 5 MB"},
		{"a bomb", packed(t, heavy...), "more than 64 MB"},
		{"a bomb of names", packed(t, many...), "more than 2000 files"},
		{"a bomb of archives", packed(t, nested...), "more than 64 MB"},
		{"archives in archives", deep, "5 deep"},
		{"a bad archive among the charts", packed(t, good, file("it/charts/in.tgz", "not one")), "in.tgz"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := LoadArchive(tc.data)
			refusedChart(t, err, tc.why)
		})
	}
}

// A link in an archive has no content, wherever it leads to.
func TestLoadArchiveLink(t *testing.T) {
	chart, err := LoadArchive(packed(t, file("it/Chart.yaml", chartYAML), entry{name: "it/templates/a.yaml", kind: tar.TypeSymlink}))
	if err != nil {
		t.Fatal(err)
	}
	if objects, err := chart.Objects(inAckSystem(), "rel", nil); err != nil || len(objects) > 0 {
		t.Errorf("got %v, %v", summary(objects), err)
	}
}
