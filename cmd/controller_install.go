package cmd

import (
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin"
)

const controllerInstallLong = `Has OLM install the ACK S3 controller: namespace, settings with which every version
starts, a service account and an IAM role of its own that reaches only buckets called
*-bucket, and a Subscription. Of OLM's InstallPlans exactly the one that names the version
is approved. Then it waits until the controller runs as its role. Project admins may make
Buckets from then on.

It can be repeated: what is as it should be is left alone, what was changed is put back.
A controller that somebody else installed, in whatever namespace, is found and used.

  oc ostoy-s3 controller install --dry-run=server
  oc ostoy-s3 controller install
  oc ostoy-s3 controller install --upgrade
  oc ostoy-s3 controller install --chart oci://public.ecr.aws/aws-controllers-k8s/s3-chart`

func newControllerInstallCommand(s *session) *cobra.Command {
	const timeout = 10 * time.Minute
	facts, request := &factFlags{}, plugin.ControllerRequest{}
	output := newOutput("", "json")
	c := &cobra.Command{
		Use:   "install",
		Short: "Install the ACK S3 controller, once for the cluster",
		Long:  controllerInstallLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(c); err != nil {
				return err
			}
			if err := checkController(c, request); err != nil {
				return err
			}
			request.Facts = facts.request(s, c.Flags())
			request.Output = plugin.Format(output.value)
			return s.app().ControllerInstall(c.Context(), request)
		},
	}
	flags := c.Flags()
	facts.add(flags)
	addController(&request.Version, &request.Identity, &request.Chart, &request.Role, flags)
	addControllerRole(&request.Role, flags)
	output.add(flags)
	flags.BoolVar(&request.Upgrade, "upgrade", false, "upgrade to the newest version in the catalog, or to --version; approves one InstallPlan after another")
	addDryRun(&request.DryRun, flags)
	flags.BoolVar(&request.Wait, "wait", true, "wait until the controller runs; without it, nothing approves its InstallPlan")
	flags.DurationVar(&request.Timeout, "timeout", timeout, "how long all of it may take")
	flags.BoolVar(&request.ForceConflicts, "force-conflicts", false, "take over objects and fields that somebody else manages")
	addForceOwner(&request.ForceOwner, flags)
	addAllowAnyBucket(&request.AllowAnyBucket, flags)
	return c
}

// checkController holds flags against what they may be.
func checkController(c *cobra.Command, request plugin.ControllerRequest) error {
	switch {
	case !request.DryRun.Known():
		return usage(c, "--dry-run is none, client or server")
	case request.Timeout <= 0:
		return usage(c, "--timeout must be longer than nothing, for example 10m")
	case request.Upgrade && request.Chart != "":
		return usage(c, "--upgrade is OLM's; a chart is upgraded by giving a newer one")
	case request.Upgrade && !request.Wait:
		return usage(c, "--upgrade follows the upgrade to its end; leave out --wait=false")
	}
	return checkIdentity(c, request.Identity, request.Role)
}

func checkIdentity(c *cobra.Command, identity string, role plugin.ControllerRoleRequest) error {
	switch {
	case identity != "" && !slices.Contains(plugin.Identities(), identity):
		return usage(c, "--identity is subscription or annotation")
	case role.BucketPattern != "" && role.PolicyARN != "":
		return usage(c, "--bucket-pattern is for the policy that --policy-arn takes the place of; give one of them")
	}
	return nil
}
