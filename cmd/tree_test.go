package cmd

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

var update = flag.Bool("update", false, "rewrite testdata/commands.txt")

// TestCommandsAndFlags makes every change of the command line a diff somebody
// reads: testdata/commands.txt holds every command and flag.
func TestCommandsAndFlags(t *testing.T) {
	const golden = "testdata/commands.txt"
	got := describe(newTestRoot())
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("commands or flags changed; if on purpose: go test ./cmd -update\n%s", diff)
	}
}

func newTestRoot() *cobra.Command {
	return newRootCommand(&program{
		Process: Process{Now: time.Now, Getenv: func(string) string { return "" }},
		name:    "oc ostoy-s3",
		config:  genericclioptions.NewConfigFlags(true),
	})
}

// describe lists a command, its own flags and its children.
func describe(c *cobra.Command) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s: %s\n", c.CommandPath(), c.Short)
	flags := c.LocalNonPersistentFlags()
	if !c.HasParent() {
		flags = c.PersistentFlags()
	}
	flags.VisitAll(func(f *pflag.Flag) {
		short := ""
		if f.Shorthand != "" {
			short = " -" + f.Shorthand
		}
		hidden := ""
		if f.Hidden {
			hidden = " (hidden)"
		}
		fmt.Fprintf(&out, "  --%s%s %s%s\n", f.Name, short, f.Value.Type(), hidden)
	})
	for _, child := range c.Commands() {
		out.WriteString(describe(child))
	}
	return out.String()
}

// TestFlagsOfKubectlKeepTheirMeaning holds our short flags away from kubectl's:
// -h -n -A -l -o -v -w mean there what they mean here, or are not used.
func TestFlagsOfKubectlKeepTheirMeaning(t *testing.T) {
	meaning := map[string]string{"h": "help", "n": "namespace", "o": "output", "v": "v", "s": "server", "f": "values", "k": "kustomize", "y": "yes", "A": "all-namespaces"}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Shorthand != "" && meaning[f.Shorthand] != f.Name {
				t.Errorf("%s: -%s is --%s", c.CommandPath(), f.Shorthand, f.Name)
			}
		})
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(newTestRoot())
}

// TestEveryCommandHelps: each says in one line what it is for.
func TestEveryCommandHelps(t *testing.T) {
	for _, c := range newTestRoot().Commands() {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: Short is %q", c.Name(), c.Short)
		}
	}
}
