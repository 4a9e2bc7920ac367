package cmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/checkup"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

const checkLong = `Looks for what is missing or wrong, in the cluster and in AWS, and says how to mend
it. It changes nothing.

  oc ostoy-s3 check --pre -n demo      may the app be installed in project demo
  oc ostoy-s3 check -n demo            what of it does not work, and why
  oc ostoy-s3 check --list             every check there is

The report goes to stdout. Exit code 4: something failed.`

func newCheckCommand(s *program) *cobra.Command {
	facts, chart := &factFlags{}, &chartFlags{}
	request := checkup.Request{}
	output := newOutput("table", "json", "junit")
	c := &cobra.Command{
		Use:   "check",
		Short: "Find what is missing or wrong, and say how to mend it",
		Long:  checkLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(c); err != nil {
				return err
			}
			if err := checkCheck(c, request); err != nil {
				return err
			}
			request.Facts = facts.request(s, c.Flags())
			request.Chart = chart.Chart
			request.Output = session.Format(output.value)
			request.Verbose = s.log.level > 0
			return checkup.Run(c.Context(), s.session, request)
		},
	}
	facts.add(c.Flags())
	chart.add(c.Flags())
	addRoleName(&request.Role, c.Flags())
	output.add(c.Flags())
	addCheck(&request, c)
	return c
}

func addCheck(request *checkup.Request, c *cobra.Command) {
	const timeout = 5 * time.Minute
	flags := c.Flags()
	flags.BoolVar(&request.Pre, "pre", false, "only what install looks at before it touches anything")
	flags.BoolVar(&request.List, "list", false, "list the checks and run none")
	flags.StringSliceVar(&request.Only, "only", nil, "ids of the checks to run, with those they need")
	flags.StringVar((*string)(&request.FailOn), "fail-on", "error", "exit with 4 on an error, or already on a warning")
	flags.BoolVar(&request.Wait, "wait", false, "look again until nothing fails")
	flags.DurationVar(&request.Timeout, "timeout", timeout, "how long all of it may take")
}

// checkCheck holds flags against what they may be.
func checkCheck(c *cobra.Command, request checkup.Request) error {
	switch {
	case request.FailOn != "error" && request.FailOn != "warning":
		return usage(c, "--fail-on is error or warning")
	case request.Timeout <= 0:
		return usage(c, "--timeout must be longer than nothing, for example 5m")
	case request.List && request.Wait:
		return usage(c, "--list runs nothing there would be to wait for")
	}
	return nil
}
