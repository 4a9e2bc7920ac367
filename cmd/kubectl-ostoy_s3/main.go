// Command kubectl-ostoy_s3 is the plugin that `oc ostoy-s3` and
// `kubectl ostoy-s3` run: it wires the process's signals, streams and
// environment to package cmd and turns its answer into an exit code.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // credentials of every kind a kubeconfig may name

	"github.com/oc-ostoy-s3/oc-ostoy-s3/cmd"
)

// version is set by the linker.
var version = "v0.0.0-dev"

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Once the first Ctrl-C was seen, the second one ends the process at once.
	context.AfterFunc(ctx, stop)
	return cmd.Run(ctx, os.Args[1:], cmd.Process{
		Streams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
		Version: version,
		Now:     time.Now,
		Getenv:  os.Getenv,
	})
}
