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
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2) // two in quick succession are two
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go obey(signals, cancel)
	return cmd.Run(ctx, os.Args[1:], cmd.Process{
		Streams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
		Version: version,
		Now:     time.Now,
		Getenv:  os.Getenv,
	})
}

// obey ends the run at the first Ctrl-C: it stops where it is and says how far
// it came. The second one does not wait for that: it ends the process at once,
// whatever it is blocked in.
func obey(signals <-chan os.Signal, cancel context.CancelFunc) {
	const interrupted = 130 // what a shell counts for SIGINT
	<-signals
	cancel()
	<-signals
	os.Exit(interrupted)
}
