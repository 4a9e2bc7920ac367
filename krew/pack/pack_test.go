package pack_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/krew"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/krew/pack"
)

// fixture lays out a release of tiny executables, in a directory of its own
// and with file times of its own: neither may show in the result.
func fixture(t *testing.T) pack.Release {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("LICENSE", "do as you like")
	write("README.md", "# read me")
	for _, p := range krew.Platforms() {
		write(filepath.Join("bin", p.OS+"_"+p.Arch, p.Bin()), "executable for "+p.String())
	}
	return pack.Release{
		Version:  "v1.2.3",
		Time:     time.Unix(1700000000, 0),
		Binaries: filepath.Join(dir, "bin"),
		Docs:     dir,
		Out:      filepath.Join(dir, "out"),
	}
}

// read gives the bytes of every file of a release, by name.
func read(t *testing.T, r pack.Release) map[string][]byte {
	t.Helper()
	names, err := r.Write()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(r.Out, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	return files
}

func TestTwoReleasesAreTheSameBytes(t *testing.T) {
	first := read(t, fixture(t))
	second := fixture(t)
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(second.Docs, "LICENSE"), later, later); err != nil {
		t.Fatal(err)
	}
	for name, data := range read(t, second) {
		if !bytes.Equal(data, first[name]) {
			t.Errorf("%s differs between two releases of the same files", name)
		}
	}
}

// The counterpart of the test above: what is meant to show in the bytes does.
func TestAnotherTimeIsAnotherArchive(t *testing.T) {
	first, other := fixture(t), fixture(t)
	other.Time = other.Time.Add(time.Hour)
	files := read(t, first)
	for name, data := range read(t, other) {
		if bytes.Equal(data, files[name]) {
			t.Errorf("%s is the same although the release has another time", name)
		}
	}
}

func TestArchivesHoldLicenseAndExecutable(t *testing.T) {
	files := read(t, fixture(t))
	for _, p := range krew.Platforms() {
		got := unpack(t, p.Archive(), files[p.Archive()])
		want := map[string]string{
			"LICENSE":   "-rw-r--r-- 1700000000 do as you like",
			"README.md": "-rw-r--r-- 1700000000 # read me",
			p.Bin():     "-rwxr-xr-x 1700000000 executable for " + p.String(),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.Archive(), diff)
		}
	}
}

func TestSumsAreThoseOfTheArchives(t *testing.T) {
	files := read(t, fixture(t))
	m, err := krew.Parse(files[krew.Name+".yaml"])
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range m.Spec.Platforms {
		name := target.URI[strings.LastIndex(target.URI, "/")+1:]
		sum := sha256.Sum256(files[name])
		want := hex.EncodeToString(sum[:])
		if target.SHA256 != want {
			t.Errorf("manifest: %s has sum %s, want %s", name, target.SHA256, want)
		}
		if line := want + "  " + name + "\n"; !strings.Contains(string(files[pack.Checksums]), line) {
			t.Errorf("%s lacks the line %q", pack.Checksums, line)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(*testing.T, *pack.Release)
		want string
	}{
		{"a version that krew refuses", func(_ *testing.T, r *pack.Release) { r.Version = "1.2" }, "spec.version"},
		{"a missing executable", func(t *testing.T, r *pack.Release) { remove(t, r.Binaries, "windows_arm64") }, "kubectl-ostoy_s3.exe"},
		{"a missing license", func(t *testing.T, r *pack.Release) { remove(t, r.Docs, "LICENSE") }, "LICENSE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := fixture(t)
			tc.edit(t, &r)
			if _, err := r.Write(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("want an error with %q, got %v", tc.want, err)
			}
			if _, err := os.Stat(filepath.Join(r.Out, krew.Name+".yaml")); err == nil {
				t.Error("a manifest was written all the same")
			}
		})
	}
}

func remove(t *testing.T, parts ...string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(parts...)); err != nil {
		t.Fatal(err)
	}
}

// unpack gives mode, time and text of each entry, and fails on owners.
func unpack(t *testing.T, name string, data []byte) map[string]string {
	t.Helper()
	if strings.HasSuffix(name, ".zip") {
		return unzip(t, data)
	}
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for archive := tar.NewReader(zipped); ; {
		h, err := archive.Next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" {
			t.Errorf("%s: %s has an owner: %+v", name, h.Name, h)
		}
		got[h.Name] = describe(t, h.FileInfo(), archive)
	}
}

func unzip(t *testing.T, data []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got[f.Name] = describe(t, f.FileInfo(), r)
	}
	return got
}

func describe(t *testing.T, info os.FileInfo, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %d %s", info.Mode(), info.ModTime().Unix(), text)
}
