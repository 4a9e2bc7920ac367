package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sandbox builds the command, as it starts itself as a child.
func sandbox(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sandbox")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return path
}

// TestStay: up leaves a sandbox that its export lines lead to, down ends it.
func TestStay(t *testing.T) {
	command, state := sandbox(t), t.TempDir()
	run := func(args ...string) (string, string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), command, args...)
		var out, talk bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &talk
		if err := cmd.Run(); err != nil {
			t.Fatalf("sandbox %v: %v\n%s", args, err, talk.String())
		}
		return out.String(), talk.String()
	}
	defer run("down", "--state", state)
	lines, _ := run("up", "--platform", "kubernetes", "--no-controller", "--state", state)
	crds, err := exec.CommandContext(t.Context(), "sh", "-c", lines+"\nkubectl get crd -o name").CombinedOutput()
	if err != nil || strings.Contains(string(crds), "buckets.s3") {
		t.Errorf("without a controller: %v\n%s", err, crds)
	}
	if err := exec.CommandContext(t.Context(), command, "up", "--platform", "kubernetes", "--state", state).Run(); err == nil {
		t.Error("up without --no-controller took a sandbox that has no controller")
	}
	shell := exec.CommandContext(t.Context(), "sh", "-c", lines+"\nkubectl get --raw /version")
	text, err := shell.CombinedOutput()
	if err != nil || !strings.Contains(string(text), "v1.37.2") {
		t.Errorf("with the export lines: %v\n%s", err, text)
	}
	again, talk := run("up", "--platform", "kubernetes", "--no-controller", "--state", state)
	if again != lines || !strings.Contains(talk, "running already") {
		t.Errorf("up again said %q and printed %q", talk, again)
	}
	run("down", "--state", state)
	if text, err := exec.CommandContext(t.Context(), "sh", "-c", lines+"\nkubectl get --raw /version").CombinedOutput(); err == nil {
		t.Errorf("the API server still answers: %s", text)
	}
	if _, talk := run("down", "--state", state); !strings.Contains(talk, "no sandbox is running") {
		t.Errorf("down again: %q", talk)
	}
}

// TestRun: the command sees the bed, and its exit code is passed on.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	args := []string{"run", "--platform", "kubernetes", "--", "sh", "-c", "kubectl get --raw /readyz; exit 7"}
	err := dispatch(t.Context(), args, &out, io.Discard)
	if code := exitCode(err, io.Discard); code != 7 || out.String() != "ok" {
		t.Errorf("exit code %d (%v), output %q", code, err, out.String())
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"fly"}, {"up", "extra"}, {"run"}, {"up", "--what"}} {
		if code := exitCode(dispatch(context.Background(), args, io.Discard, io.Discard), io.Discard); code != 2 {
			t.Errorf("sandbox %v: exit code %d, want 2", args, code)
		}
	}
}

func TestWithin(t *testing.T) {
	got := within([]string{"A=1", "AWS_PROFILE=mine", "B=2"}, []string{"B=3", "AWS_PROFILE=", "C=4"})
	if want := []string{"A=1", "B=3", "C=4"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestExport(t *testing.T) {
	var out bytes.Buffer
	if err := export(&out, []string{"A=it's", "B=1=2", "C="}); err != nil {
		t.Fatal(err)
	}
	script := "C=3; " + out.String() + `printf %s "$A$B${C-}"`
	text, err := exec.CommandContext(t.Context(), "sh", "-c", script).Output()
	if err != nil || string(text) != "it's1=2" {
		t.Errorf("%q, %v", text, err)
	}
	if os.Getenv("A") != "" {
		t.Error("the test's own environment was touched")
	}
}
