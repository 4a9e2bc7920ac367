package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// source is where the scanner comes from.
type source struct {
	module string        // folder of its Go module
	into   string        // folder that the executable is put into
	limit  time.Duration // for each step
}

// experiment is what trivy is built with (its goreleaser.yml): it imports
// encoding/json/v2.
const experiment = "GOEXPERIMENT=jsonv2"

// faults are what the go command prints if a download fails for another reason than that
// a module, or a newer Go, is out of reach, as it words them (cmd/go/internal/modfetch,
// modload and gover).
func faults() []string {
	return []string{
		"SECURITY ERROR", "checksum mismatch", "missing go.sum entry", "malformed go.sum",
		"parsing go.mod", "updates to go.mod needed",
	}
}

// download fetches what the module requires and returns why that is not possible.
// A go.mod that cannot be read and modules that are not those that go.sum names are
// errors.
func (s source) download(ctx context.Context) (missing string, err error) {
	// Reads go.mod, with the Go that is installed, and asks no registry.
	if text, err := s.command(ctx, "mod", "edit", "-json"); err != nil {
		return "", failed(ctx, "read go.mod of "+s.module, err, text)
	}
	text, err := s.command(ctx, "mod", "download")
	if err == nil {
		return "", nil
	}
	fault := func(says string) bool { return strings.Contains(text, says) }
	if ctx.Err() != nil || slices.ContainsFunc(faults(), fault) {
		return "", failed(ctx, "download trivy", err, text)
	}
	return lastLine(text, err), nil
}

// failed is the error of a step, or the end of the run.
func failed(ctx context.Context, step string, err error, text string) error {
	if stopped := ctx.Err(); stopped != nil {
		return stopped
	}
	return fmt.Errorf("%s: %w\n%s", step, err, text)
}

// build makes the executable, unless it is up to date, and returns its path.
func (s source) build(ctx context.Context) (string, error) {
	// The go command runs in the folder of the module.
	path, err := filepath.Abs(filepath.Join(s.into, "trivy-kubernetes"))
	if err != nil {
		return "", err
	}
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	for _, args := range [][]string{{"vet", "."}, {"build", "-mod=readonly", "-o", path, "."}} {
		if text, err := s.command(ctx, args...); err != nil {
			return "", fmt.Errorf("go %s of %s: %w\n%s", args[0], s.module, err, text)
		}
	}
	return path, nil
}

// command runs the go command in the module and returns what it printed.
func (s source) command(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = s.module
	cmd.Env = append(os.Environ(), experiment, "GOWORK=off")
	if slices.Contains(args, "edit") {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN=local") // the other steps may fetch a newer Go
	}
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("did not end within %s", s.limit)
	}
	return printed.String(), err
}

// lastLine is the last line of a text, or the error if there is none.
func lastLine(text string, err error) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return err.Error()
}
