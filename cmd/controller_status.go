package cmd

import (
	"time"

	"github.com/spf13/cobra"

	controllerstatus "github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

const controllerStatusLong = `Tells how the ACK S3 controller is, whoever installed it: version and the upgrade that
waits, role, region, pods, leader, the errors in the last 200 lines of its log, and how
many Buckets are in which state. It changes nothing and asks nothing of AWS.

  oc ostoy-s3 controller status
  oc ostoy-s3 controller status -o json

Controllers are looked for in the whole cluster. Who may not list Deployments there gets
those of one namespace: ack-system, or that of -n.

The report goes to stdout. What it finds wrong is no failure (exit code 0): "check"
is there to judge. Exit code 4: there is no controller.`

func newControllerStatusCommand(s *program) *cobra.Command {
	const timeout = 2 * time.Minute
	request := controllerstatus.Request{}
	output := newOutput("table", "json", "yaml")
	c := &cobra.Command{
		Use:   "status",
		Short: "Show the state of the ACK S3 controller, and its errors",
		Long:  controllerStatusLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(c); err != nil {
				return err
			}
			if request.Timeout <= 0 {
				return usage(c, "--timeout must be longer than nothing, for example 2m")
			}
			request.Facts = (&factFlags{}).request(s, c.Flags())
			request.Output = session.Format(output.value)
			return controllerstatus.Run(c.Context(), s.session, request)
		},
	}
	output.add(c.Flags())
	c.Flags().DurationVar(&request.Timeout, "timeout", timeout, "how long the look may take")
	return c
}
