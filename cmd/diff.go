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
	request := diff.Request{}
	c := newCommand("diff", "Print what install would change, in the cluster and of the role", diffLong, func(c *cobra.Command) error {
		if err := checkRole(c, request.Adopt, request.Tighten, request.IAM, request.Role); err != nil {
			return err
		}
		request.ExternalDiff = externalDiff(s)
		changed, err := diff.Run(c.Context(), s.session, request)
		if err != nil {
			return &comparisonError{err}
		}
		if changed {
			return &problem.Error{Kind: problem.Differs} // the diff has said it
		}
		return nil
	})
	newFacts(s, c, &request.Facts).add(c.Flags())
	addChartAgain(&request.Chart, c.Flags())
	addRole(&request.Role, c.Flags())
	addForceConflicts(&request.ForceConflicts, c.Flags())
	addForceOwner(&request.ForceOwner, c.Flags())
	addTutorial(&request.Adopt, &request.Role.Adopt, &request.Tighten, c)
	addIAM(&request.IAM, c.Flags())
	addTimeout(c, &request.Timeout, 5*time.Minute)
	return c
}

// externalDiff is the program by which the user wants to see diffs.
func externalDiff(s *program) string { return s.Getenv("KUBECTL_EXTERNAL_DIFF") }
