package cmd

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/install"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

// checkManual refuses what --mode manual cannot mean, and notes by which flags the
// printed commands get to the cluster.
func checkManual(c *cobra.Command, request *install.Request, beside besideFlags, output string) error {
	switch {
	case request.DryRun != session.DryRunNone:
		return usage(c, "--mode manual changes nothing by itself: leave out --dry-run")
	case output != "":
		return usage(c, "--mode manual prints a script; -o "+output+" is the result of a run")
	case beside.with:
		return usage(c, "--mode manual is for the app; the controller comes first: "+advice.NewController(beside.pattern)+", or what controller render prints")
	}
	flags, other := clusterFlags(c)
	if other != "" {
		return usage(c, "--mode manual prints commands for a kubeconfig and a context of it: name them by --kubeconfig and --context instead of --"+other)
	}
	request.ToolFlags = flags
	return nil
}

// clusterFlags are those of kubectl's flags that were typed and that say which
// cluster is meant and as whom, to be typed again; other is one that belongs in a
// kubeconfig, empty if there is none: tokens and keys are not to be printed.
func clusterFlags(c *cobra.Command) (typed []string, other string) {
	again := []string{"kubeconfig", "context", "as", "as-group", "as-uid", "as-user-extra"}
	ours := []string{"namespace", "request-timeout", "cache-dir", "disable-compression", "v"}
	inherited := c.InheritedFlags()
	c.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case inherited.Lookup(f.Name) == nil || slices.Contains(ours, f.Name):
		case slices.Contains(again, f.Name):
			values := []string{f.Value.String()}
			if several, ok := f.Value.(pflag.SliceValue); ok {
				values = several.GetSlice()
			}
			for _, value := range values {
				typed = append(typed, "--"+f.Name+"="+value)
			}
		default:
			other = f.Name
		}
	})
	return typed, other
}
