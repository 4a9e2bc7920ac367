package cmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin"
)

const controllerUninstallLong = `Removes the ACK S3 controller that controller install brought: the Subscription first,
then what it installed, and when no pod runs any more what the pod needed, the role, the
rights, and the namespace if install made it and nothing else is in it. A controller that
somebody else installed is left alone.

It refuses while there are Buckets anywhere in the cluster: without a controller nobody
lets go of them, and their projects can never be deleted. With --force they are let go of
first. No S3 bucket is deleted, and no data, with or without it.

  oc ostoy-s3 controller uninstall --dry-run      what would be removed
  oc ostoy-s3 controller uninstall
  oc ostoy-s3 controller uninstall --force        also with Buckets left

It asks nothing, and can be repeated: what a run that was cut off has left, the next one
removes.`

func newControllerUninstallCommand(s *program) *cobra.Command {
	const timeout = 10 * time.Minute
	facts, request := &factFlags{}, plugin.ControllerUninstallRequest{}
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
			// Of the app's uninstall, what says how and how long is ours, too.
			if err := checkUninstall(c, plugin.UninstallRequest{Timeout: request.Timeout}, dryRun); err != nil {
				return err
			}
			request.DryRun = dryRun == "client"
			request.Facts = facts.request(s, c.Flags())
			request.Output = plugin.Format(output.value)
			return s.app().ControllerUninstall(c.Context(), request)
		},
	}
	flags := c.Flags()
	facts.addWhose(flags)
	output.add(flags)
	flags.BoolVar(&request.Force, "force", false, "let go of the Buckets that are left: the objects go, the S3 buckets and their data stay")
	flags.BoolVar(&request.DeleteCRDs, "delete-crds", false, "also delete the definition of ACK's Bucket, if there is no Bucket any more")
	flags.BoolVar(&request.KeepRole, "keep-role", false, "keep the controller's IAM role; then no AWS credentials are needed")
	addForceOwner(&request.ForceOwner, flags)
	addAdopt(c, plugin.AdoptRole, "role (also remove a role of ours that others attached policies to)", func(given plugin.Adopt) {
		request.Adopt = given
	})
	flags.DurationVar(&request.Timeout, "timeout", timeout, "how long all of it may take")
	addDryRunClient(&dryRun, flags)
	return c
}
