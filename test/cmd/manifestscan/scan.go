package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// scan is one run of the command.
type scan struct {
	plugin  string        // the plugin's executable
	schema  string        // the chart's schema, a file
	scanner string        // the scanner's executable
	limit   time.Duration // for the scanner
}

// report is what the scanner prints (test/trivy).
type report struct {
	Checked map[string]int `json:"checked"`
	Failed  []failure      `json:"failed"`
}

type failure struct {
	Check    string `json:"check"`
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Message  string `json:"message"`
}

// errFound reports findings, which have been printed.
var errFound = errors.New("trivy's checks fail for manifests that are printed (above); change what is printed, " +
	"or leave the variant out in test/cmd/manifestscan/variants.go and write why")

// writable is a Deployment that has nothing wrong but a writable root filesystem.
// It is scanned as well: if it passes, the checks did not run.
//
//go:embed writable.yaml
var writable []byte

const (
	writableFile  = "known-to-fail.yaml"
	writableCheck = "KSV-0014" // "Root file system is not read-only"
)

// all renders every variant, scans them together, and prints what is found.
func (s scan) all(ctx context.Context, out io.Writer) error {
	schema, err := os.ReadFile(s.schema)
	if err != nil {
		return err
	}
	list, err := variants(schema)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "ostoy-manifests-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	for _, v := range list {
		if err := s.render(ctx, folder, v); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(folder, writableFile), writable, 0o600); err != nil {
		return err
	}
	found, err := s.check(ctx, folder)
	if err != nil {
		return err
	}
	return judge(out, list, found)
}

// render writes what one run of the plugin prints into the folder.
func (s scan) render(ctx context.Context, folder string, v variant) error {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, s.plugin, v.args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(folder, "none"), "AWS_EC2_METADATA_DISABLED=true")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(v.args, " "), err, &stderr)
	}
	return os.WriteFile(filepath.Join(folder, v.name+".yaml"), stdout.Bytes(), 0o600)
}

// check scans the folder. What the scanner could not read or evaluate it only writes
// to stderr.
func (s scan) check(ctx context.Context, folder string) (found report, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, s.scanner, folder)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return found, fmt.Errorf("the scanner did not end within %s", s.limit)
	case err != nil:
		return found, fmt.Errorf("the scanner: %w\n%s", err, &stderr)
	case stderr.Len() > 0:
		return found, fmt.Errorf("the scanner did not check everything:\n%s", &stderr)
	}
	if err := json.Unmarshal(stdout.Bytes(), &found); err != nil {
		return found, fmt.Errorf("the scanner: %w", err)
	}
	return found, nil
}
