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

// download fetches what the module requires and returns why that is not possible.
// Modules that are not those that go.sum names are an error.
func (s source) download(ctx context.Context) (missing string, err error) {
	text, err := s.command(ctx, "mod", "download")
	if err == nil {
		return "", nil
	}
	if stopped := ctx.Err(); stopped != nil {
		return "", stopped
	}
	// As the go command words it (cmd/go/internal/modfetch).
	for _, forged := range []string{"SECURITY ERROR", "checksum mismatch"} {
		if strings.Contains(text, forged) {
			return "", fmt.Errorf("download trivy: %w\n%s", err, text)
		}
	}
	return lastLine(text, err), nil
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
