package cmd

import (
	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/facts"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

const factsLong = `Prints the facts that manifests and role depend on, each with its source.

  oc ostoy-s3 facts -o yaml > facts.yaml
  oc ostoy-s3 render --facts facts.yaml      needs neither cluster nor AWS`

func newFactsCommand(s *program) *cobra.Command {
	var given session.Facts
	var format session.Format
	c := newCommand("facts", "Print what was detected, and from where", factsLong, func(c *cobra.Command) error {
		return facts.Run(c.Context(), s.session, given, format)
	})
	newFacts(s, c, &given).add(c.Flags())
	addOutput(c, &format, "table", "yaml", "json")
	addLook(c)
	return c
}
