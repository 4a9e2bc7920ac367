package cmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/diff"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const diffLong = `Prints what install would change, as a unified diff: every object as the API server
says that it would be, and the role's policies, tags and boundary. It writes nothing.

  oc ostoy-s3 diff -n demo                                what the next install would change
  oc ostoy-s3 diff -n demo --set microservice.replicas=2  the same, with other values

Values of Secrets are masked. KUBECTL_EXTERNAL_DIFF names another program to show
the diff, as with kubectl diff. Exit codes: 0 no difference, 1 some, 2 bad flags or
values, 4 install would refuse something (the diff is of the rest), 5 failed.`

func newDiffCommand(s *program) *cobra.Command {
	facts, chart := &factFlags{}, &chartFlags{}
	request := diff.Request{}
	c := &cobra.Command{
		Use:   "diff",
		Short: "Print what install would change, in the cluster and of the role",
		Long:  diffLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if request.Timeout <= 0 {
				return usage(c, "--timeout must be longer than nothing, for example 5m")
			}
			if err := checkIAM(c, request.IAM, request.Role); err != nil {
				return err
			}
			if err := checkAdopt(c, request.Adopt, request.Tighten, request.IAM, request.Role); err != nil {
				return err
			}
			request.Facts = facts.request(s, c.Flags())
			request.Chart = chart.Chart
			request.ExternalDiff = externalDiff(s)
			changed, err := diff.Run(c.Context(), s.session, request)
			if err != nil {
				return &comparisonError{err}
			}
			if changed {
				return &problem.Error{Kind: problem.Differs} // the diff has said it
			}
			return nil
		},
	}
	facts.add(c.Flags())
	chart.add(c.Flags())
	addRole(&request.Role, c.Flags())
	addDiff(&request, c)
	return c
}

func addDiff(request *diff.Request, c *cobra.Command) {
	const timeout = 5 * time.Minute
	flags := c.Flags()
	addForceConflicts(&request.ForceConflicts, flags)
	addForceOwner(&request.ForceOwner, flags)
	addTutorial(&request.Adopt, &request.Role.Adopt, &request.Tighten, c)
	addIAM(&request.IAM, flags)
	flags.DurationVar(&request.Timeout, "timeout", timeout, "how long all of it may take")
}

// externalDiff is the program by which the user wants to see diffs.
func externalDiff(s *program) string { return s.Getenv("KUBECTL_EXTERNAL_DIFF") }
