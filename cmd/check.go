package cmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/checkup"
)

const checkLong = `Looks for what is missing or wrong, in the cluster and in AWS, and says how to mend
it. It changes nothing.

  oc ostoy-s3 check --pre -n demo      may the app be installed in project demo
  oc ostoy-s3 check -n demo            what of it does not work, and why
  oc ostoy-s3 check --list             every check there is

The report goes to stdout. Exit code 4: something failed.`

func newCheckCommand(s *program) *cobra.Command {
	request := checkup.Request{}
	c := newCommand("check", "Find what is missing or wrong, and say how to mend it", checkLong, func(c *cobra.Command) error {
		if request.List && request.Wait {
			return usage(c, "--list runs nothing there would be to wait for")
		}
		request.Verbose = s.log.level > 0
		return checkup.Run(c.Context(), s.session, request)
	})
	newFacts(s, c, &request.Facts).add(c.Flags())
	addChartAgain(&request.Chart, c.Flags())
	addRoleName(&request.Role, c.Flags())
	addOutput(c, &request.Output, "table", "json", "junit")
	addCheck(&request, c)
	return c
}

func addCheck(request *checkup.Request, c *cobra.Command) {
	flags := c.Flags()
	flags.BoolVar(&request.Pre, "pre", false, "only what install looks at before it touches anything")
	flags.BoolVar(&request.List, "list", false, "list the checks and run none")
	flags.StringSliceVar(&request.Only, "only", nil, "ids of the checks to run, with those they need")
	flags.StringVar((*string)(&request.FailOn), "fail-on", "error", "exit with 4 on an error, or already on a warning")
	flags.BoolVar(&request.Wait, "wait", false, "look again until nothing fails")
	first(c, func() error {
		if request.FailOn != "error" && request.FailOn != "warning" {
			return usage(c, "--fail-on is error or warning")
		}
		return nil
	})
	addTimeout(c, &request.Timeout, 5*time.Minute)
}

// checkCheck holds flags against what they may be.
