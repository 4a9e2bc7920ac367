// Package dist tests what `make build` and `make dist` promise about the
// executable: the same commit gives the same bytes, wherever it lies, and
// nothing of the machine that built it is inside. What is packed around it is
// tested beside the packer, in krew/pack.
package dist

import (
	"bytes"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const version = "v9.8.7-test"

// copyTree copies the tracked and the new files of the working tree, not what
// git ignores, into a directory of its own.
func copyTree(t *testing.T, root string) string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ":!test")
	names, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v", list, err)
	}
	to := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted, but not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// build runs `make build` there, and gives back the executable.
func build(t *testing.T, dir string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), "make", "-C", dir, "build", "VERSION="+version)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "bin", "kubectl-ostoy_s3"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestExecutable(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	first, second := copyTree(t, root), copyTree(t, root)
	one, two := build(t, first), build(t, second)

	t.Run("is reproducible", func(t *testing.T) {
		if sha256.Sum256(one) != sha256.Sum256(two) {
			t.Error("two builds of the same sources in two places differ")
		}
	})
	t.Run("names no place of this machine", func(t *testing.T) {
		for _, place := range []string{first, root} {
			if bytes.Contains(one, []byte(place)) {
				t.Errorf("the executable holds the path %s", place)
			}
		}
	})
	t.Run("knows its version", func(t *testing.T) {
		command := exec.CommandContext(t.Context(), filepath.Join(first, "bin", "kubectl-ostoy_s3"), "version", "--client")
		command.Env = []string{"HOME=" + t.TempDir()}
		out, err := command.Output()
		if err != nil {
			t.Fatalf("%v: %v", command, err)
		}
		if !strings.Contains(string(out), version) {
			t.Errorf("version prints %q, it was built as %s", out, version)
		}
	})
}
