package cmd

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/release"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const releaseLong = `Forgets an install and leaves it running: the inventory (ConfigMap ostoy-s3) is deleted,
and the field manager ostoy-s3 is removed from the objects. Nothing else changes, no
pod restarts, and AWS is not asked anything:

  oc ostoy-s3 release -n demo --dry-run   what would be released, and what manages it then
  oc ostoy-s3 release -n demo             release it to the engine that manages it already
  oc ostoy-s3 release -n demo --to none   release it although nothing else manages it

Have Argo CD or Flux apply the manifests first (docs/moving.md): while an object is not
managed by an engine, the command stops with exit code 4 and prints the command that
makes the engine apply. It can be repeated.`

func newReleaseCommand(s *program) *cobra.Command {
	request, output, dryRun := release.Request{}, newOutput("", "json"), ""
	c := &cobra.Command{
		Use:   "release",
		Short: "Forget an install and leave it running, for Argo CD or Flux to take over",
		Long:  releaseLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(c); err != nil {
				return err
			}
			if err := checkDryRunClient(c, dryRun); err != nil {
				return err
			}
			if request.Timeout <= 0 {
				return usage(c, "--timeout must be longer than nothing, for example 1m")
			}
			if !request.To.Known() {
				return usage(c, "--to is argocd, flux or none")
			}
			request.DryRun = dryRun == "client"
			request.Facts = namespaceOnly(s, c.Flags())
			request.Output = session.Format(output.value)
			return release.Run(c.Context(), s.session, request)
		},
	}
	const timeout = time.Minute
	output.add(c.Flags())
	addDryRunClient(&dryRun, c.Flags())
	c.Flags().Lookup("dry-run").Usage = "none or client: only show what would be released; alone it means client"
	c.Flags().StringVar((*string)(&request.To), "to", "", "what manages the objects then: argocd, flux or none (default: the engine that manages them already)")
	c.Flags().DurationVar(&request.Timeout, "timeout", timeout, "how long all of it may take")
	return c
}

// namespaceOnly is the one fact that a command needs which asks nobody else.
func namespaceOnly(s *program, flags *pflag.FlagSet) session.Facts {
	given := render.Facts{}
	if flags.Changed("namespace") {
		given.Namespace = render.Fact{Value: *s.config.Namespace, Source: "flag --namespace"}
	}
	return session.Facts{Given: given}
}
