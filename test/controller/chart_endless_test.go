package controller_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// chartEndless: a chart whose rendering does not end is left by the first signal, and
// nothing was written by then.
func (s *scene) chartEndless(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "templates"), 0o755))
	for name, text := range map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: s3-chart\nversion: 1.2.3\n",
		// Helm warns that this text gives way to a table of that name, before it renders.
		"values.yaml":      "aws: text\n",
		"templates/a.yaml": "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}",
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		running := run.Begin(t, s.Admin, "controller", "install", "--bucket-pattern", "*-bucket", "--chart", dir)
		running.Says(t, "skipped value for s3-chart.aws")
		running.Send(t, signal)
		running.Ends(t).WantCode(t, 130).WantStdout(t, "").WantTalk(t, "✗ interrupted\n  nothing was ")
	}
	s.wantNothingWritten(t)
}
