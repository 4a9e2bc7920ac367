package run

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// Name is what the executable is called, but for the .exe of Windows.
const Name = "kubectl-ostoy_s3"

// tool is where Main built the executable; set before the first test runs.
var tool string

// Main builds the executable, runs the tests, removes the executable and
// returns the exit code for os.Exit.
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ostoy-tool-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if tool, err = Build(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Tool is the path of the executable that Main built.
func Tool() string { return tool }

// Build builds the executable into dir and returns its path. The module under
// test is found from here, so the working directory does not matter.
//
// The packages of the tests share one build: go links again only what has changed since.
func Build(ctx context.Context, dir string) (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", fmt.Errorf("the tests do not know where their source is")
	}
	name := Name
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	root := filepath.Join(filepath.Dir(here), "..", "..", "..")
	shared, err := testbed.CacheDir()
	if err != nil {
		return "", err
	}
	shared = filepath.Join(shared, fmt.Sprintf("tool-%x", sha256.Sum256([]byte(root)))[:len("tool-")+12])
	if err := os.MkdirAll(shared, 0o755); err != nil {
		return "", err
	}
	unlock, err := testbed.Lock(ctx, filepath.Join(shared, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	built := filepath.Join(shared, name)
	build := exec.CommandContext(ctx, "go", "build", "-C", root, "-buildvcs=false", "-ldflags=-s -w", "-o", built, "./cmd/kubectl-ostoy_s3")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the executable: %w\n%s", err, output)
	}
	// A copy: the next package may build it again while this one's tests run.
	program, err := os.ReadFile(built)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, program, 0o755)
}
