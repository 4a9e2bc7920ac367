package cmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/release"
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
	request := release.Request{}
	c := newCommand("release", "Forget an install and leave it running, for Argo CD or Flux to take over", releaseLong, func(c *cobra.Command) error {
		if !request.To.Known() {
			return usage(c, "--to is argocd, flux or none")
		}
		return release.Run(c.Context(), s.session, request)
	})
	newFacts(s, c, &request.Facts)
	addOutput(c, &request.Output, "", "json")
	addDryRunClient(c, &request.DryRun)
	c.Flags().Lookup("dry-run").Usage = "none or client: only show what would be released; alone it means client"
	c.Flags().StringVar((*string)(&request.To), "to", "", "what manages the objects then: argocd, flux or none (default: the engine that manages them already)")
	addTimeout(c, &request.Timeout, time.Minute)
	return c
}
