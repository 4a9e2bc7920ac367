package cmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
)

const statusLong = `Tells how an install is: bucket, role, service account, pods, URL, and what is not
as install would make it. It changes nothing.

  oc ostoy-s3 status -n demo           one install
  oc ostoy-s3 status -A                all of the cluster, or of your projects
  oc ostoy-s3 status -n demo --audit   who took the role in the last day, who changed it

The report goes to stdout. What it finds wrong is no failure (exit code 0): "check"
is there to judge. Exit code 4: nothing is installed in the project.`

func newStatusCommand(s *program) *cobra.Command {
	request := status.Request{}
	c := newCommand("status", "Tell how an install is, or all of them, and what has drifted", statusLong, func(c *cobra.Command) error {
		if err := checkStatus(c, request); err != nil {
			return err
		}
		return status.Run(c.Context(), s.session, request)
	})
	newFacts(s, c, &request.Facts).add(c.Flags())
	addChartAgain(&request.Chart, c.Flags())
	addRoleName(&request.Role, c.Flags())
	addOutput(c, &request.Output, "table", "wide", "json", "yaml")
	addTimeout(c, &request.Timeout, 2*time.Minute)
	flags := c.Flags()
	flags.Lookup("timeout").Usage = "how long it may take"
	flags.StringVar(&request.Role.PolicyARN, "policy-arn", "", "the managed policy that install was given (default: the one that the role's tag names)")
	flags.BoolVarP(&request.All, "all-namespaces", "A", false, "every install of the cluster, in one table")
	flags.BoolVar(&request.Audit, "audit", false, "also tell from CloudTrail who took the role in the last 24 hours, and who changed it")
	return c
}

// checkStatus holds flags against each other and against what they may be.
func checkStatus(c *cobra.Command, request status.Request) error {
	switch {
	case request.All && c.Flags().Changed("namespace"):
		return usage(c, "--all-namespaces and --namespace contradict each other; give one of them")
	case request.All && request.Audit:
		return usage(c, "--audit is about one install; leave out --all-namespaces")
	}
	return nil
}
