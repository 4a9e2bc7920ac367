package cmd

import (
	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/role"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

const iamPlanLong = `Reads the role from IAM and prints what install would change, as a diff of its
documents: statements and values in one order, so that only what IAM takes for a
difference is one. It changes nothing.

It ends with code 0 whether or not there is something to change; with --check, 4 if
there is. A role of that name that is not ours is refused, as by install.`

func newIAMPlanCommand(s *program) *cobra.Command {
	flags, output, strict := &iamFlags{}, newOutput("text", "json"), false
	c := &cobra.Command{
		Use:   "plan",
		Short: "Show what install would change in IAM",
		Long:  iamPlanLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(c); err != nil {
				return err
			}
			request, err := flags.complete(c, s)
			if err != nil {
				return err
			}
			return role.Plan(c.Context(), s.session, request, session.Format(output.value), strict)
		},
	}
	flags.add(c)
	output.add(c.Flags())
	c.Flags().BoolVar(&strict, "check", false, "end with code 4 if there is something to change")
	return c
}
