package cmd

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
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
	facts, chart := &factFlags{}, &chartFlags{}
	request := status.Request{}
	output := newOutput("table", "wide", "json", "yaml")
	c := &cobra.Command{
		Use:   "status",
		Short: "Tell how an install is, or all of them, and what has drifted",
		Long:  statusLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(c); err != nil {
				return err
			}
			if err := checkStatus(c, request); err != nil {
				return err
			}
			request.Facts = facts.request(s, c.Flags())
			request.Chart = chart.Chart
			request.Output = session.Format(output.value)
			return status.Run(c.Context(), s.session, request)
		},
	}
	facts.add(c.Flags())
	chart.add(c.Flags())
	addRoleName(&request.Role, c.Flags())
	output.add(c.Flags())
	addStatus(&request, c.Flags())
	return c
}

func addStatus(request *status.Request, flags *pflag.FlagSet) {
	const timeout = 2 * time.Minute
	flags.StringVar(&request.Role.PolicyARN, "policy-arn", "", "the managed policy that install was given (default: the one that the role's tag names)")
	flags.BoolVarP(&request.All, "all-namespaces", "A", false, "every install of the cluster, in one table")
	flags.BoolVar(&request.Audit, "audit", false, "also tell from CloudTrail who took the role in the last 24 hours, and who changed it")
	flags.DurationVar(&request.Timeout, "timeout", timeout, "how long it may take")
}

// checkStatus holds flags against each other and against what they may be.
func checkStatus(c *cobra.Command, request status.Request) error {
	switch {
	case request.Timeout <= 0:
		return usage(c, "--timeout must be longer than nothing, for example 2m")
	case request.All && c.Flags().Changed("namespace"):
		return usage(c, "--all-namespaces and --namespace contradict each other; give one of them")
	case request.All && request.Audit:
		return usage(c, "--audit is about one install; leave out --all-namespaces")
	}
	return nil
}
