package gitops_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// TestTheGuideCanBeWalked runs every command of docs/gitops.md, one after the
// other, as it stands there, and looks at what it has led to.
func TestTheGuideCanBeWalked(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	engines(t, bed)
	admin := run.Admin(bed)
	admin.Dir = t.TempDir()
	admin.Typing("{apiVersion: argoproj.io/v1beta1, kind: ArgoCD, metadata: {name: openshift-gitops, namespace: openshift-gitops}}").
		Kubectl(t, "apply", "--server-side", "-f", "-").WantCode(t, done)
	page, err := os.ReadFile("../../docs/gitops.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	const enough = 10
	if len(blocks) < enough {
		t.Fatalf("only %d blocks of commands found", len(blocks))
	}
	path := commands(t, admin)
	for _, block := range blocks {
		admin.Shell(t, path, block[1]).WantCode(t, done)
	}

	admin.Kubectl(t, "wait", "--for=condition=Ready", "buckets.s3.services.k8s.aws/demo-bucket", "--timeout=3m", "-n", "demo").WantCode(t, done)
	for kind, want := range map[string]string{
		"applications.argoproj.io/demo -n openshift-gitops":                "apps/demo",
		"applicationsets.argoproj.io/ostoy-s3 -n openshift-gitops":         "apps/green",
		"argocds.argoproj.io/openshift-gitops -n openshift-gitops":         "ACK.ResourceSynced",
		"kustomizations.kustomize.toolkit.fluxcd.io/demo -n flux-system":   "./apps/demo",
		"gitrepositories.source.toolkit.fluxcd.io/ostoy-s3 -n flux-system": "https://git.example.com/team/apps",
	} {
		got := admin.Kubectl(t, append([]string{"get", "-o", "yaml"}, strings.Fields(kind)...)...).WantCode(t, done)
		if !strings.Contains(got.Stdout, want) {
			t.Errorf("%s says nothing of %s:\n%s", kind, want, got.Stdout)
		}
	}
	for name, there := range map[string]bool{"apps/demo/secret-ostoy-secret.yaml": false, "apps/green/secret-ostoy-secret.yaml": true} {
		if _, err := os.Stat(filepath.Join(admin.Dir, name)); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// commands is a directory with the commands that the guide types: oc finds the
// plugin as kubectl does, so kubectl stands in for it.
func commands(t *testing.T, user run.User) string {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\nexec " + user.Bed.BinDir + "/kubectl \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "oc"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(run.Tool(), filepath.Join(dir, run.Name)); err != nil {
		t.Fatal(err)
	}
	return dir + ":" + user.Bed.BinDir
}
