package cmd

import (
	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/facts"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

func newFactsCommand(s *program) *cobra.Command {
	flags := &factFlags{}
	output := newOutput("table", "yaml", "json")
	c := &cobra.Command{
		Use:   "facts",
		Short: "Print what was detected, and from where",
		Long: `Prints the facts that manifests and role depend on, each with its source.

  oc ostoy-s3 facts -o yaml > facts.yaml
  oc ostoy-s3 render --facts facts.yaml      needs neither cluster nor AWS`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(c); err != nil {
				return err
			}
			return facts.Run(c.Context(), s.session, flags.request(s, c.Flags()), session.Format(output.value))
		},
	}
	flags.add(c.Flags())
	output.add(c.Flags())
	return c
}
