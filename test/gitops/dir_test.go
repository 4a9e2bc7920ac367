package gitops_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// TestDirectoryIsPlainRender: kubectl builds the directory to the bytes that
// plain render prints, with and without an overlay, and the API server takes
// them without a difference.
func TestDirectoryIsPlainRender(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	user := committer(t, bed)
	mirror(t, user, "overlay", "demo")
	for name, args := range map[string][]string{
		"plain":     nil,
		"overlay":   {"-k", "overlay"},
		"namespace": {"--include-namespace", "--set", "scc.restricted=true,podIdentity=webhook"},
	} {
		t.Run(name, func(t *testing.T) {
			printed := rendered(t, user, "demo", args...).WantCode(t, done)
			rendered(t, user, "demo", append([]string{"--output-dir", "out/" + name}, args...)...).WantCode(t, done)
			user.Kubectl(t, "kustomize", "out/"+name).WantCode(t, done).WantStdout(t, documents(t, printed.Stdout))
		})
	}
	// Without the cluster's own flags it looks there, as plain render does.
	admin := run.Admin(bed)
	admin.Dir = user.Dir
	admin.Run(t, "render", "-n", "looked", "--include-namespace", "--output-dir", "looked").WantCode(t, done)
	admin.Kubectl(t, "apply", "--server-side", "-k", "looked").WantCode(t, done)
	admin.WantNothingToApply(t, admin.Run(t, "render", "-n", "looked").WantCode(t, done).Stdout)
}

// TestDirectoryIsKept: a second run writes what changed and nothing else, and
// --check says beforehand what that is.
func TestDirectoryIsKept(t *testing.T) {
	t.Parallel()
	user := committer(t, run.TheBed(t))
	dir := []string{"--output-dir", "apps/demo"}
	changed := append([]string{"--set", "secrets.existing=true,microservice.replicas=2"}, dir...)
	check := func(args []string) run.Result { return rendered(t, user, "demo", append(args, "--check")...) }

	missing := check(dir).WantCode(t, refused)
	if lines := strings.Count(missing.Stdout, "missing "); lines != 14 || len(files(t, user)) != 0 {
		t.Errorf("not 14 files are missing, or something was written\n%s", missing)
	}
	first := rendered(t, user, "demo", dir...).WantCode(t, done)
	if first.Stdout != strings.ReplaceAll(missing.Stdout, "missing    ", "wrote ") {
		t.Errorf("what is written is not what was missing\n%s%s", missing, first)
	}
	write(t, user, "apps/demo/README.md", "mine")
	before := files(t, user)
	check(dir).WantCode(t, done).WantStdout(t, "")
	rendered(t, user, "demo", dir...).WantCode(t, done).WantStdout(t, "").WantTalk(t, "0 written, 0 removed, 14 unchanged")
	if diff := cmp.Diff(before, files(t, user)); diff != "" {
		t.Errorf("the second run touched files (-before +after):\n%s", diff)
	}

	check(changed).WantCode(t, refused).WantStdout(t, lines(
		"stale      apps/demo/deployment-ostoy-microservice.yaml", "stale      apps/demo/kustomization.yaml",
		"left over  apps/demo/secret-ostoy-secret-env.yaml", "left over  apps/demo/secret-ostoy-secret.yaml",
	)).WantTalk(t, "apps/demo is not what render makes", "without --check")
	if diff := cmp.Diff(before, files(t, user)); diff != "" {
		t.Errorf("--check wrote (-before +after):\n%s", diff)
	}
	rendered(t, user, "demo", changed...).WantCode(t, done).WantStdout(t, lines(
		"wrote apps/demo/deployment-ostoy-microservice.yaml", "wrote apps/demo/kustomization.yaml",
		"removed apps/demo/secret-ostoy-secret-env.yaml", "removed apps/demo/secret-ostoy-secret.yaml",
	))
	check(changed).WantCode(t, done)
}

// TestDirectoryRefuses: what is the user's stays, and nothing is written beside it.
func TestDirectoryRefuses(t *testing.T) {
	t.Parallel()
	user := committer(t, run.TheBed(t))
	write(t, user, "dir/service-ostoy-frontend-svc.yaml", "kind: Mine\n")
	write(t, user, "file", "mine")
	before := files(t, user)
	for _, check := range [][]string{nil, {"--check"}} {
		rendered(t, user, "demo", append(check, "--output-dir", "dir")...).WantCode(t, misused).
			WantTalk(t, "dir/service-ostoy-frontend-svc.yaml is in the way", "it is yours", "nothing was written")
	}
	rendered(t, user, "demo", "--output-dir", "file").WantCode(t, misused).WantTalk(t, "output directory file", "try")
	rendered(t, user, "demo", "--output-dir", "/proc/nothing/here").WantCode(t, misused).WantTalk(t, "output directory /proc/nothing/here")
	rendered(t, user, "demo", "--check").WantCode(t, misused).WantTalk(t, "--output-dir")
	if diff := cmp.Diff(before, files(t, user)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}

func lines(all ...string) string { return strings.Join(all, "\n") + "\n" }

// files are the files of a user's repository, with content and time.
func files(t *testing.T, user run.User) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(user.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = info.ModTime().String() + string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
