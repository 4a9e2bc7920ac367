package trouble_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// TestFilesItWrites: with a umask that allows everything, install --use keeps
// the kubeconfig's mode, leaves no lock and no temporary file, and neither it nor
// any other command writes a cache or anything else that others could read.
func TestFilesItWrites(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	text, err := os.ReadFile(bed.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o600, 0o640} {
		namespace := fmt.Sprintf("files-%o", mode)
		home := t.TempDir()
		kubeconfig := filepath.Join(home, "kubeconfig")
		if err := os.WriteFile(kubeconfig, text, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(kubeconfig, mode); err != nil { // whatever the umask is
			t.Fatal(err)
		}
		user := run.User{Bed: bed, Name: "admin", Kubeconfig: kubeconfig}.With("HOME="+home, "TMPDIR="+home)
		for _, args := range [][]string{
			{"facts", "-n", namespace}, {"install", "--new-project=" + namespace, "--use"}, {"render"}, {"uninstall", "--dry-run"},
		} { // without -n: that is the project which --use has chosen
			unmasked(t, user, home, args...)
		}
		info, err := os.Stat(kubeconfig)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("mode %v, want %v: %v", info.Mode(), mode, err)
		}
		changed, err := os.ReadFile(kubeconfig)
		if err != nil || string(changed) == string(text) {
			t.Errorf("--use changed nothing: %v", err)
		}
		var left []string
		for path := range filesBelow(t, home) {
			left = append(left, path)
		}
		if !slices.Equal(left, []string{kubeconfig}) {
			t.Errorf("left behind: %q", left)
		}
	}
}

// unmasked runs a command with umask 0.
func unmasked(t *testing.T, user run.User, dir string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := user.Command(ctx, t, args...)
	cmd.Args = append([]string{"sh", "-c", `umask 0; exec "$0" "$@"`, cmd.Path}, args...)
	cmd.Path, cmd.Dir = "/bin/sh", dir
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, output)
	}
}
