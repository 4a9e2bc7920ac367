package run

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
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
func Build(ctx context.Context, dir string) (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", fmt.Errorf("the tests do not know where their source is")
	}
	path := filepath.Join(dir, Name)
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	root := filepath.Join(filepath.Dir(here), "..", "..", "..")
	build := exec.CommandContext(ctx, "go", "build", "-C", root, "-buildvcs=false", "-o", path, "./cmd/kubectl-ostoy_s3")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the executable: %w\n%s", err, output)
	}
	return path, nil
}
