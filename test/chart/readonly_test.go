package chart_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// writesNothing has node's permission model refuse every write but to the termination
// log, which the kubelet mounts: what a read-only root filesystem refuses, without
// the privileges that a mount needs.
func writesNothing(allowed string) string {
	return "--experimental-permission --allow-fs-read=* --allow-fs-write=" + allowed + " --no-warnings"
}

// TestF12WaitForBucketWritesNothing: on a root filesystem that cannot be written to,
// with a HOME that does not exist, the script finds the bucket, and says why it does
// not find one.
func TestF12WaitForBucketWritesNothing(t *testing.T) {
	m, aws := newMachine(t), newAccount(t)
	for _, tc := range []struct {
		namespace   string
		bucket      bool
		code        int
		log, reason []string
	}{
		{"read-only", true, 0, []string{"read-only-bucket answers after "}, nil},
		{"read-only-late", false, 1, []string{"NotFound from HeadBucket"}, []string{"NotFound from HeadBucket read-only-late-bucket: HTTP 404 (for "}},
	} {
		t.Run(tc.namespace, func(t *testing.T) {
			t.Parallel()
			aws.prepare(t, tc.namespace, true, tc.bucket)
			reason := filepath.Join(t.TempDir(), "termination-log")
			env := aws.env(t, tc.namespace, audience)
			env["NODE_OPTIONS"], env["WAIT_FOR_BUCKET_TERMINATION_LOG"] = writesNothing(reason), reason
			env["HOME"] = filepath.Join(t.TempDir(), "none")
			got := script{container: waitContainer(t, tc.namespace, "waitForBucket.propagationSeconds=2"), dir: m.sdk, env: env}.run(t, m)
			if text, err := os.ReadFile(reason); err == nil {
				got.reason = string(text)
			}
			got.expect(t, tc.code, tc.log, tc.reason)
		})
	}
}

// TestF12WritesAreSeen: the test above fails for a script that writes elsewhere.
func TestF12WritesAreSeen(t *testing.T) {
	m, dir := newMachine(t), t.TempDir()
	allowed := filepath.Join(dir, "allowed")
	for path, refused := range map[string]bool{allowed: false, filepath.Join(dir, "other"): true} {
		cmd := exec.CommandContext(t.Context(), filepath.Join(m.node, "node"), "-e", "require('fs').writeFileSync(process.argv[1], 'x')", path)
		cmd.Env = []string{"NODE_OPTIONS=" + writesNothing(allowed)}
		output, err := cmd.CombinedOutput()
		if (err != nil) != refused || refused && !strings.Contains(string(output), "ERR_ACCESS_DENIED") {
			t.Errorf("%s: %v\n%s", path, err, output)
		}
	}
}
