package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const completionLong = `Prints the completion script of a shell, or, for kubectl and oc, the small
program they call to complete "ostoy-s3": put it on the PATH.

  oc ostoy-s3 completion oc --dir ~/.local/bin
  source <(oc ostoy-s3 completion bash)`

// shim is what kubectl and oc run for our completions; both pass the words
// typed so far, the last one possibly empty.
const shim = "#!/bin/sh\nexec kubectl-ostoy_s3 __complete \"$@\" 2>/dev/null\n"

func newCompletionCommand(s *program) *cobra.Command {
	var dir string
	shells := []string{"bash", "zsh", "fish", "powershell", "kubectl", "oc"}
	c := &cobra.Command{
		Use:       "completion " + strings.Join(shells, "|"),
		Short:     "Print completion for a shell, kubectl or oc",
		Long:      completionLong,
		ValidArgs: shells,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(c, "name one of "+strings.Join(shells, ", "))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return completion(s, c, args[0], dir) },
	}
	c.Flags().StringVar(&dir, "dir", "", "for kubectl and oc: write the program into this directory instead")
	return c
}

// completeFlag completes a flag with a fixed list of values. Registering fails only
// for a flag that does not exist or is registered already, which a test would show.
func completeFlag(c *cobra.Command, flag string, values ...string) {
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func completion(s *program, c *cobra.Command, shell, dir string) error {
	// The scripts register for the program's own name, whatever we display.
	root, out := c.Root(), s.Streams.Out
	if dir != "" && shell != "kubectl" && shell != "oc" {
		return usage(c, "--dir goes with kubectl and oc")
	}
	root.Annotations = nil
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(out, true)
	case "zsh":
		return root.GenZshCompletion(out)
	case "fish":
		return root.GenFishCompletion(out, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(out)
	case "kubectl", "oc":
		return writeShim(s, shell, dir)
	}
	return usage(c, "unknown shell "+shell)
}

// writeShim prints the program for the host, or installs it in dir.
func writeShim(s *program, host, dir string) error {
	if dir == "" {
		_, err := fmt.Fprint(s.Streams.Out, shim)
		return err
	}
	path := filepath.Join(dir, host+"_complete-ostoy_s3")
	const executable = 0o755
	if err := os.WriteFile(path, []byte(shim), executable); err != nil {
		return problem.Fail("cannot write "+path, err.Error(), "give a directory of your PATH that you may write to").Because(err)
	}
	s.session.UI.Linef("wrote %s", path)
	return nil
}
