// Package main is the sandbox: a test bed to use by hand.
//
//	sandbox up [--platform P]            start one that stays; print export lines
//	sandbox down                         stop it
//	sandbox run [--platform P] -- CMD    one for as long as CMD runs
//	     ... --no-controller             without the ACK S3 controller and its kinds
//	sandbox tools [DIR]                  build helm, staticcheck and gofumpt; print where
//	sandbox node                         get node and aws-sdk v2; print export lines
//
// One sandbox stays per state folder: the cache's, unless --state names another.
//
// Standard output carries what a shell or a Makefile reads, standard error the
// talk. It only ever stops what it started.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

const usage = `usage:
  sandbox up [--platform rosa-classic|rosa-hcp|eks|kubernetes] [--no-controller] [--state DIR]
  sandbox down [--state DIR]
  sandbox run [--platform P] [--no-controller] -- COMMAND [ARGS...]
  sandbox tools [DIR]
  sandbox node
`

// errUsage is a call that makes no sense: exit code 2.
var errUsage = errors.New("see usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := dispatch(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(exitCode(err, os.Stderr))
}

// exitCode says what went wrong and with which code to end: a command run in
// the sandbox passes its own on.
func exitCode(err error, talk io.Writer) int {
	failed := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		_, _ = io.WriteString(talk, usage)
		return 2
	case errors.As(err, &failed) && failed.ExitCode() > 0:
		return failed.ExitCode()
	case errors.Is(err, context.Canceled):
		return 130
	}
	_, _ = fmt.Fprintln(talk, "sandbox:", err)
	return 1
}

func dispatch(ctx context.Context, args []string, out, talk io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	flags.SetOutput(talk)
	platform := flags.String("platform", string(testbed.ROSAClassic), "cluster to play")
	bare := flags.Bool("no-controller", false, "leave out the ACK S3 controller and its kinds")
	dir := flags.String("state", "", "where a sandbox that stays keeps its state")
	if err := flags.Parse(args[1:]); err != nil {
		return errUsage
	}
	options := testbed.Options{Platform: testbed.Platform(*platform), NoController: *bare, Progress: talk}
	rest := flags.Args()
	switch {
	case args[0] == "up" && len(rest) == 0:
		return up(ctx, options, *dir, out, talk)
	case args[0] == "serve" && len(rest) == 0:
		return serve(ctx, options, *dir)
	case args[0] == "down" && len(rest) == 0:
		return down(ctx, *dir, talk)
	case args[0] == "run" && len(rest) > 0:
		return runIn(ctx, options, rest, out, talk)
	case args[0] == "tools" && len(rest) <= 1:
		return tools(ctx, options, strings.Join(rest, ""), out)
	case args[0] == "node" && len(rest) == 0:
		return node(ctx, options, out)
	}
	return errUsage
}

// runIn runs a command in a bed of its own.
func runIn(ctx context.Context, options testbed.Options, command []string, out, talk io.Writer) (err error) {
	bed, err := testbed.Start(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bed.Stop()) }()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	// Asked to stop, we ask the command to stop, and wait for it.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Env = within(os.Environ(), forPeople(bed))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, out, talk
	cmd.SysProcAttr = child()
	// The kernel takes the end of the starting thread for ours.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}

func tools(ctx context.Context, options testbed.Options, dir string, out io.Writer) error {
	dir, err := testbed.Tools(ctx, options.Progress, dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, dir)
	return err
}

func node(ctx context.Context, options testbed.Options, out io.Writer) error {
	found, err := testbed.Node(ctx, options.Progress)
	if err != nil {
		return err
	}
	return export(out, []string{"NODE=" + found.Node, "NODE_PATH=" + found.Modules})
}

// forPeople is the environment of a bed for the aws CLI, too, whose version 1
// has a variable of its own for the region.
func forPeople(bed *testbed.Bed) []string {
	return append(bed.Env(), "AWS_DEFAULT_REGION="+testbed.Region)
}

// within is an environment with changes. What a change leaves empty is not set at
// all: the aws CLI looks for a profile of no name otherwise.
func within(env, changes []string) []string {
	changed := map[string]bool{}
	for _, entry := range changes {
		name, _, _ := strings.Cut(entry, "=")
		changed[name] = true
	}
	all := slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return changed[name]
	})
	for _, entry := range changes {
		if _, value, _ := strings.Cut(entry, "="); value != "" {
			all = append(all, entry)
		}
	}
	return all
}

// export writes KEY=VALUE as lines for a POSIX shell to evaluate; what is empty
// is unset, as in within.
func export(out io.Writer, env []string) error {
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" {
			if _, err := fmt.Fprintf(out, "unset %s\n", name); err != nil {
				return err
			}
			continue
		}
		quoted := "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
		if _, err := fmt.Fprintf(out, "export %s=%s\n", name, quoted); err != nil {
			return err
		}
	}
	return nil
}
