package cmd

import (
	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/facts"
)

const factsLong = `Prints the facts that manifests and role depend on, each with its source. If
manifests cannot be rendered from them, they are printed too; stderr shows which
facts are missing, with their flags, and the exit code is not 0.

  oc ostoy-s3 facts -o yaml > facts.yaml
  oc ostoy-s3 render --facts facts.yaml      needs neither cluster nor AWS`

func newFactsCommand(s *program) *cobra.Command {
	var request facts.Request
	c := newCommand("facts", "Print what was detected, and from where", factsLong, func(c *cobra.Command) error {
		return facts.Run(c.Context(), s.session, request)
	})
	newFacts(s, c, &request.Facts).add(c.Flags())
	addOutput(c, &request.Output, "table", "yaml", "json")
	c.Flags().BoolVar(&request.AllowIncomplete, "allow-incomplete", false, "end with exit code 0 even if facts are missing that manifests need")
	addLook(c)
	return c
}
