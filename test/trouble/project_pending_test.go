package trouble_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// TestBeforeTheFirstProject: a project admin without a project cannot learn the issuer. What
// only looks goes on and says that it is known later; nothing is created, and the printed
// project step leads to an install.
func TestBeforeTheFirstProject(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace, known = "before-first", "known once project before-first exists"
	learner := run.ProjectAdmin(t, bed, "newcomer")
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"install", "--new-project=" + namespace, "--dry-run=server"}, done, []string{known, "+ project   " + namespace, "+ bucket", "became client"}},
		{[]string{"install", "--new-project=" + namespace, "--dry-run=client", "-o", "json"}, done, []string{known}},
		{[]string{"check", "--pre", "-n", namespace}, done, nil},
		{[]string{"diff", "-n", namespace}, 1, []string{known, "project before-first does not exist, or you have no access to it: everything would be created"}},
		{[]string{"iam", "plan", "-n", namespace}, refused, []string{known, "would be made"}},
		{[]string{"facts", "-n", namespace}, misused, []string{"a fact is missing: issuer", "--oidc-issuer"}},
	} {
		learner.Run(t, c.args...).WantCode(t, c.code).WantTalk(t, c.says...)
	}
	if pre := learner.Run(t, "check", "--pre", "-n", namespace).WantCode(t, done); !strings.Contains(pre.Stdout, known) {
		t.Errorf("check --pre does not say that the issuer is not known\n%s", pre)
	}
	script := learner.Run(t, "install", "--new-project="+namespace, "--mode=manual", "--set=microservice.replicas=2").WantCode(t, done)
	const next = "ostoy-s3 install -n before-first --mode=manual --set=microservice.replicas=2"
	script.WantTalk(t, known, next)
	for _, text := range []string{"before-first.invalid", "KNOWN-LATER", "known-once", "kind: Bucket"} {
		if strings.Contains(script.Stdout, text) {
			t.Errorf("the script has %q\n%s", text, script)
		}
	}
	if now := world.Look(t, bed, namespace); len(now) > 0 {
		t.Errorf("something was created: %v", now)
	}

	bin := t.TempDir()
	oc, file := filepath.Join(bin, "oc"), filepath.Join(bin, "project.sh")
	if err := os.WriteFile(oc, []byte("#!/bin/sh\nexec '"+bed.BinDir+"/kubectl' \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(script.Stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	learner.Shell(t, bin, "exec bash "+file).WantCode(t, done).WantTalk(t, next)
	rest := learner.Run(t, "install", "-n", namespace, "--mode=manual", "--set=microservice.replicas=2").WantCode(t, done)
	if !strings.Contains(rest.Stdout, "kind: Bucket") || !strings.Contains(rest.Stdout, world.RoleName(bed.Issuer, namespace)) {
		t.Errorf("the rest is not in %s", rest)
	}

	// In a project of one's own the issuer shows, also for another one.
	other := learner.Run(t, "install", "--new-project=before-second", "--dry-run=server").WantCode(t, done)
	other.WantNoTalk(t, "known once").WantTalk(t, world.RoleName(bed.Issuer, "before-second"))
}
