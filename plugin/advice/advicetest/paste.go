package advicetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Paste gives a block of several lines to interactive shells, as somebody does who copies
// all of it, and reports whether anything in it wrote the file that the poisons write. The
// commands that ostoy-s3 suggests do nothing there.
func Paste(t *testing.T, block string) (ran bool) {
	t.Helper()
	dir := t.TempDir()
	bin, work := filepath.Join(dir, "bin"), filepath.Join(dir, "work")
	for _, one := range []string{bin, work} {
		if err := os.Mkdir(one, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	stubs := map[string]string{"touch": ": > \"$1\"\n"}
	for _, name := range strings.Fields("oc kubectl aws rosa helm argocd flux curl rm id") {
		stubs[name] = ""
	}
	for name, does := range stubs {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+does), 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	for _, program := range []string{"sh", "bash"} {
		path, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		for _, end := range []string{"", "'", `"`, "`"} { // what is typed next may close a quotation
			run := exec.CommandContext(t.Context(), path, "-i") // goes on after an error
			run.Dir, run.Env = work, []string{"PATH=" + bin, "HOME=" + work, "HISTFILE=/dev/null"}
			run.Stdin = strings.NewReader(block + "\n" + end + "\n")
			_ = run.Run() // whatever becomes of the commands
		}
	}
	_, err := os.Stat(filepath.Join(work, Mark))
	return err == nil
}
