package gitops_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestAdoptManually: the printed commands bring in what the tutorial made, and
// tighten its role, as install does; install then has nothing to change.
func TestAdoptManually(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace, role = "ostoy-typed", "ostoy-sa-role-ostoy-typed"
	admin := byTutorial(t, namespace, role)
	aws, err := testbed.AWSCLI(t.Context(), t.Output())
	must(t, err)
	printed := admin.Run(t, "install", "-n", namespace, "--adopt", "--tighten-role", "--mode", "manual").WantCode(t, 0).
		WantTalk(t, "Found of the tutorial's", "merged/iam.role."+role, "nothing was changed: the script on stdout does it")
	wantStdout(t, printed, "aws iam detach-role-policy", "--force-conflicts", "not "+itsSecret)
	bin := t.TempDir()
	must(t, os.WriteFile(filepath.Join(bin, "oc"), []byte("#!/bin/sh\nexec "+bed.BinDir+"/kubectl \"$@\"\n"), 0o700))
	script := filepath.Join(bin, "install.sh")
	must(t, os.WriteFile(script, []byte(printed.Stdout), 0o600))
	for range 2 { // it can be run again
		admin.Shell(t, bin+":"+aws, "unset AWS_PROFILE; exec bash "+script).WantCode(t, 0)
	}
	// kubectl moves to the new manager what it has applied, and nothing that it patched.
	wantAdopted(t, bed, namespace, role, "kubectl-patch")
	if text := roleText(t, bed, role); strings.Contains(text, fullAccess) || !strings.Contains(text, "inline ostoy-s3") {
		t.Errorf("the role is\n%s", text)
	}
	admin.Run(t, "install", "-n", namespace).WantCode(t, 0).WantTalk(t, "nothing to change")
}
