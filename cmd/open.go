package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/open"
)

const openLong = `Opens the app in the browser, by http, as the tutorial does.

  oc ostoy-s3 open -n demo
  oc ostoy-s3 open -n demo --print    only prints the address

Where the app has no Route, a port-forward leads to a pod until you end it with
Ctrl-C, and its address is printed, too.`

func newOpenCommand(s *program) *cobra.Command {
	request := open.Request{}
	c := newCommand("open", "Open the app in the browser", openLong, func(c *cobra.Command) error {
		request.Browse = s.browse
		return open.Run(c.Context(), s.session, request)
	})
	newFacts(s, c, &request.Facts)
	addTimeout(c, &request.Timeout, usualLook)
	c.Flags().Lookup("timeout").Usage = "how long it may take to find the app; an open port-forward has no limit"
	c.Flags().BoolVar(&request.Print, "print", false, "print the address on stdout and start no browser")
	return c
}

// browserCommand is what shows an address on an operating system (GOOS).
func browserCommand(system, address string) []string {
	switch system {
	case "darwin":
		return []string{"open", address}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler", address}
	}
	return []string{"xdg-open", address}
}

// browse shows an address in the user's browser. What is no plain web address is
// not handed to another program: it comes from the cluster.
func (s *program) browse(ctx context.Context, address string) error {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" || strings.ContainsAny(address, " \"'`$;&|<>\\") {
		return fmt.Errorf("%q is no address of a page", address)
	}
	words := browserCommand(runtime.GOOS, address)
	program, err := exec.LookPath(words[0])
	if err != nil {
		return fmt.Errorf("there is no %s", words[0])
	}
	return started(ctx, exec.Command(program, words[1:]...))
}

// started starts a program that may stay: one that fails does so soon.
func started(ctx context.Context, program *exec.Cmd) error {
	const soon = 2 * time.Second
	if err := program.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- program.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			return errors.New(program.Args[0] + ": " + err.Error())
		}
		return nil
	case <-time.After(soon):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
