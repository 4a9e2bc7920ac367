package cmd

import (
	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/manifests"
)

func newValuesCommand(s *program) *cobra.Command {
	facts, chart, role := &factFlags{}, &chartFlags{}, iam.RoleOptions{}
	c := &cobra.Command{
		Use:   "values",
		Short: "Print the computed chart values",
		Long: `Prints the values the chart is rendered with, for those who run Helm themselves:

  helm upgrade --install ostoy-s3 charts/ostoy-s3 -f <(oc ostoy-s3 values)`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return manifests.Values(c.Context(), s.session, manifests.Request{
				Facts: facts.request(s, c.Flags()),
				Chart: chart.Chart,
				Role:  role,
			})
		},
	}
	facts.add(c.Flags())
	chart.add(c.Flags())
	addRoleName(&role, c.Flags())
	return c
}
