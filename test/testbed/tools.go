package testbed

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Tools builds the tools that go.mod names (helm, staticcheck, gofumpt) into
// dir, or with dir empty into the cache, and returns the folder they are in.
func Tools(ctx context.Context, progress io.Writer, dir string) (string, error) {
	o := Options{Progress: progress}
	if progress == nil {
		o.Progress = io.Discard
	}
	module, err := ModuleDir()
	if err != nil {
		return "", err
	}
	packages := []string{"helm.sh/helm/v3/cmd/helm", "honnef.co/go/tools/cmd/staticcheck", "mvdan.cc/gofumpt"}
	build := func(dir string) error {
		for _, pkg := range packages {
			o.say("building %s", filepath.Base(pkg))
			if err := goBuild(ctx, module, filepath.Join(dir, filepath.Base(pkg)), pkg); err != nil {
				return err
			}
		}
		return nil
	}
	if dir != "" {
		if dir, err = filepath.Abs(dir); err != nil {
			return "", err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		return dir, build(dir)
	}
	key := runtime.Version()
	for _, pkg := range packages {
		version, err := moduleVersion(ctx, module, pkg)
		if err != nil {
			return "", err
		}
		key += version
	}
	return cached(ctx, "tools", key, build)
}

// moduleVersion is the version go.mod gives for the module of a package.
func moduleVersion(ctx context.Context, module, pkg string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-f", "{{.Module}}", pkg)
	cmd.Dir = module
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("version of %s: %w", pkg, err)
	}
	return string(output), nil
}
