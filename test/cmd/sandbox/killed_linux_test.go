package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestKilled: even a sandbox that had no chance to clean up leaves no process.
// Only Linux promises that.
func TestKilled(t *testing.T) {
	temporary := t.TempDir()
	marker := filepath.Join(temporary, "marker")
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), sandbox(t), "run", "--platform", "kubernetes", "--", "sh", "-c", "echo up; exec tail -f /dev/null "+marker)
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
	talk, err := os.Create(filepath.Join(t.TempDir(), "talk")) // a file: nothing waits for those that hold it open
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = talk
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 2)); err != nil {
		said, _ := os.ReadFile(talk.Name())
		t.Fatalf("the command was not run: %v\n%s", err, said)
	}
	if len(parts(t, temporary)) == 0 {
		t.Error("found no part of the running bed: this test sees nothing")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Its exit status says that it was killed, which is no news.
	_ = cmd.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err = testbed.Poll(ctx, 100*time.Millisecond, func(context.Context) error {
		if left := parts(t, temporary); len(left) > 0 {
			return fmt.Errorf("left: %v", left)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// parts lists processes that have the folder in their arguments.
func parts(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		// Processes come and go while we look.
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), dir) {
			found = append(found, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return found
}
