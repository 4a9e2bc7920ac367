package testbed

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/aws"
)

// AWSCLI gets the aws command line from the package registry unless the cache
// has it, and returns the folder it is in, for PATH. It has a Python environment
// of its own: it wants another botocore than moto does.
func AWSCLI(ctx context.Context, progress io.Writer) (string, error) {
	o := Options{Progress: progress}
	if progress == nil {
		o.Progress = io.Discard
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("the aws command line comes as a Python package and needs python3 on the PATH")
	}
	wanted, err := fs.ReadFile(aws.Files, "cli.txt")
	if err != nil {
		return "", err
	}
	version, err := exec.CommandContext(ctx, python, "-VV").Output()
	if err != nil {
		return "", err
	}
	dir, err := cached(ctx, "awscli", string(version)+string(wanted), func(dir string) error {
		o.say("installing the aws command line into a Python environment")
		list := filepath.Join(dir, "cli.txt")
		if err := os.WriteFile(list, wanted, 0o644); err != nil {
			return err
		}
		return errors.Join(
			run(ctx, python, "-m", "venv", dir),
			run(ctx, filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--quiet", "-r", list),
		)
	})
	return filepath.Join(dir, "bin"), err
}
