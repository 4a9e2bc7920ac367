package cmd

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// TestFlagsOfUninstallWithAdopt: --adopt=bucket is refused with flags that keep the
// bucket, and not with flags that say false.
func TestFlagsOfUninstallWithAdopt(t *testing.T) {
	const refused = "--adopt=bucket removes the bucket"
	for flags, want := range map[string]bool{
		"--adopt=bucket --keep-bucket":       true,
		"--adopt=bucket --role-only":         true,
		"--adopt=bucket,role --keep-bucket":  true,
		"--adopt=bucket --keep-bucket=false": false,
		"--adopt=bucket --role-only=false":   false,
		"--adopt=role --keep-bucket":         false,
	} {
		var out, talk bytes.Buffer
		args := append([]string{"uninstall", "-n", "demo", "--kubeconfig", filepath.Join(t.TempDir(), "none")}, strings.Fields(flags)...)
		code := Run(t.Context(), args, Process{
			Streams: genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: &talk},
			Now:     time.Now,
			Getenv:  func(string) string { return "" },
		})
		if got := strings.Contains(talk.String(), refused); got != want || want && code != 2 || code == 0 {
			t.Errorf("%s: exit %d, stdout %q\n%s", flags, code, &out, &talk)
		}
	}
}
