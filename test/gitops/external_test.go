package gitops_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// TestExternalDiff: the user's program gets what kubectl diff would give it, and
// its exit code counts.
func TestExternalDiff(t *testing.T) {
	t.Parallel()
	const namespace = "shown-elsewhere"
	admin := installed(t, namespace)
	admin.Kubectl(t, "-n", namespace, "label", "service", "ostoy-frontend-svc", "app=other", "--overwrite").WantCode(t, 0)
	temp := t.TempDir()
	program := filepath.Join(t.TempDir(), "show")
	must(t, os.WriteFile(program, []byte("#!/bin/sh\nfor arg; do echo \"arg [${arg##*/}]\" | sed 's/-[0-9]*]/]/'; done\n"+
		"echo \"same files [$(ls $1 | sort | md5sum)] [$(ls $2 | sort | md5sum)]\"\ngrep -h 'app:' $1/v1.Service.* $2/v1.Service.*\nexit $ENDS_WITH\n"), 0o700))
	shown := func(code int, ends string, words ...string) run.Result {
		t.Helper()
		user := admin.With("KUBECTL_EXTERNAL_DIFF="+program+" -u --color=always bad;word /etc -x1", "ENDS_WITH="+ends, "TMPDIR="+temp)
		return user.Run(t, append(words, "-n", namespace)...).WantCode(t, code)
	}
	result := shown(some, "1", "diff")
	wantStdout(t, result, "arg [LIVE]\narg [MERGED]\narg [-u]\narg [--color=always]\narg [-x1]\nsame files", "app: other", "not bad", "not etc")
	shown(none, "0", "diff")
	shown(undecided, "3", "diff").WantTalk(t, "exit status 3", "KUBECTL_EXTERNAL_DIFF")
	shown(0, "1", "install", "--diff").WantTalk(t, "arg [LIVE]").WantNoTalk(t, "@@")
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left in the folder for temporary files: %v, %v", left, err)
	}
	// kubectl itself, with the same program and the manifests.
	manifests := filepath.Join(t.TempDir(), "manifests.yaml")
	must(t, os.WriteFile(manifests, []byte(admin.Run(t, "render", "-n", namespace).WantCode(t, 0).Stdout), 0o600))
	theirs := admin.With("KUBECTL_EXTERNAL_DIFF="+program+" -u --color=always bad;word /etc -x1", "ENDS_WITH=1").
		Kubectl(t, "diff", "--server-side", "--field-manager=ostoy-s3", "-f", manifests).WantCode(t, some)
	ours, _, _ := strings.Cut(result.Stdout, "same files")
	if given, _, _ := strings.Cut(theirs.Stdout, "same files"); given != ours || given == "" {
		t.Errorf("kubectl gives the program\n%s\nand we\n%s", given, ours)
	}
	admin.With("KUBECTL_EXTERNAL_DIFF=no-such-program").Run(t, "diff", "-n", namespace).WantCode(t, undecided).WantTalk(t, "no-such-program")
}

// TestDiffThatFails: its exit codes are none of those that are an answer.
func TestDiffThatFails(t *testing.T) {
	t.Parallel()
	admin := run.Admin(run.TheBed(t))
	admin.Run(t, "diff", "-n", "x", "--no-such-flag").WantCode(t, misused)
	admin.Run(t, "diff", "-n", "x", "--set", "nonsense=1").WantCode(t, misused)
	admin.Run(t, "diff", "-n", "x", "--server", "https://127.0.0.1:1").WantCode(t, undecided)
	admin.With("AWS_ENDPOINT_URL=http://127.0.0.1:1").Run(t, "diff", "-n", "x").WantCode(t, undecided)
	// If the issuer can only be learned in a project that does not exist yet, everything else is compared.
	learner := run.ProjectAdmin(t, admin.Bed, "only-compares")
	pending := learner.Run(t, "diff", "-n", "none-of-theirs").WantCode(t, some).WantTalk(t, "everything would be created", "is known once project none-of-theirs exists")
	wantStdout(t, pending, "+kind: Bucket\n", "none-of-theirs-ostoy-sa-KNOWN-LATER")
	wantStdout(t, learner.Run(t, "diff", "-n", "none-of-theirs", "--oidc-issuer", admin.Bed.Issuer).WantCode(t, some), "+kind: Bucket\n")
	admin.Run(t, "diff", "-n", "x", "--timeout", "1ms").WantCode(t, undecided).WantTalk(t, "--timeout")
}
