package cmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	controlleruninstall "github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller/uninstall"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

const controllerUninstallLong = `Removes what controller install created: the Subscription first, then what OLM installed
for it, and when no pod runs any more the role, the permissions, the admission policy, and
the namespace if install created it and it contains nothing else. What this tool did not
install stays; the command that removes it is printed, such as helm uninstall.

It refuses while there are Buckets anywhere in the cluster, and lists them: without a
controller neither they nor their projects can be deleted. No S3 bucket is deleted, and
no data. The definition of Buckets is kept; the command that deletes it is printed.

  oc ostoy-s3 controller uninstall --dry-run      what would be removed
  oc ostoy-s3 controller uninstall

It asks nothing. If it is interrupted, run it again; it continues.`

func newControllerUninstallCommand(s *program) *cobra.Command {
	const timeout = 10 * time.Minute
	facts, request := &factFlags{}, controlleruninstall.Request{}
	output := newOutput("", "json")
	dryRun := ""
	c := &cobra.Command{
		Use:   "uninstall",
		Short: "Remove the ACK S3 controller; refused while there are Buckets",
		Long:  controllerUninstallLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(c); err != nil {
				return err
			}
			if err := checkRemoval(c, request.Timeout, dryRun); err != nil {
				return err
			}
			request.DryRun = dryRun == "client"
			request.Facts = facts.request(s, c.Flags())
			request.Output = session.Format(output.value)
			return controlleruninstall.Run(c.Context(), s.session, request)
		},
	}
	flags := c.Flags()
	facts.addWhose(flags)
	output.add(flags)
	flags.BoolVar(&request.KeepRole, "keep-role", false, "keep the controller's IAM role; then no AWS credentials are needed")
	addForceOwner(&request.ForceOwner, flags)
	addAdopt(c, adopt.Role, "role (also remove a role of ours that others attached policies to)", func(given adopt.Set) {
		request.Adopt = given
	})
	flags.DurationVar(&request.Timeout, "timeout", timeout, "how long all of it may take")
	addDryRunClient(&dryRun, flags)
	return c
}
