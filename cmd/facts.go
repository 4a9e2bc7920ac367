package cmd

import (
	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin"
)

func newFactsCommand(s *program) *cobra.Command {
	facts := &factFlags{}
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
			return s.app().Facts(c.Context(), facts.request(s, c.Flags()), plugin.Format(output.value))
		},
	}
	facts.add(c.Flags())
	output.add(c.Flags())
	return c
}
