package cmd

import (
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	controllerinstall "github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller/install"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

const controllerInstallLong = `Has OLM install the ACK S3 controller: namespace, settings with which every version
starts, a service account, an IAM role, and a Subscription. Of OLM's InstallPlans exactly
the one that names the version is approved. Then it waits until the controller runs as its
role. Then project admins can create Buckets.

Without OLM (EKS, plain Kubernetes), it creates namespace, role, permissions and admission
policy, prints the command that installs ACK's chart with Helm, and waits until you ran
that and the controller runs.

The role reaches the S3 buckets that --bucket-pattern matches: the controller can change
the policy of each of them, and with it who reads its objects. The plan says how many of
the account's buckets that are. A new role needs the flag; a role that exists keeps its
pattern. A pattern that no longer covers existing Buckets asks first, --yes answers.

It can be repeated: what is up to date is not changed, what was changed is reverted.
A controller that is not managed by ostoy-s3, in any namespace, is found and used. If its
role reaches every bucket of the account, or if that is not known, project admins can only
read Buckets, unless you give --allow-any-bucket.

  oc ostoy-s3 controller install --dry-run=server
  oc ostoy-s3 controller install --bucket-pattern 'ostoy-*-bucket'
  oc ostoy-s3 controller install --upgrade`

func newControllerInstallCommand(s *program) *cobra.Command {
	const timeout = 10 * time.Minute
	facts, request := &factFlags{}, controllerinstall.Request{}
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
			request.Output = session.Format(output.value)
			request.Ask = asker(s)
			return controllerinstall.Run(c.Context(), s.session, request)
		},
	}
	flags := c.Flags()
	facts.add(flags)
	addController(&request.Version, &request.Identity, &request.Role, flags)
	addControllerRole(&request.Role, flags)
	addAdopt(c, adopt.Role, "role (take over a role of that name that this tool did not make for this cluster)", func(given adopt.Set) {
		request.Role.Adopt = given.Role()
	})
	output.add(flags)
	flags.BoolVar(&request.Upgrade, "upgrade", false, "upgrade to the newest version in the catalog, or to --version; approves one InstallPlan after another")
	flags.BoolVar(&request.AllowAnyBucket, "allow-any-bucket", false, allowAnyBucketUsage)
	flags.BoolVarP(&request.Yes, "yes", "y", false, "do not ask; a script needs it to narrow --bucket-pattern, and if existing Buckets name S3 buckets of other projects")
	addDryRun(&request.DryRun, flags)
	flags.BoolVar(&request.Wait, "wait", true, "wait until the controller runs; without it, nothing approves its InstallPlan")
	flags.DurationVar(&request.Timeout, "timeout", timeout, "how long all of it may take")
	flags.BoolVar(&request.ForceConflicts, "force-conflicts", false, "take over objects and fields that somebody else manages")
	addForceOwner(&request.ForceOwner, flags)
	return c
}

// checkController holds flags against what they may be.
func checkController(c *cobra.Command, request controllerinstall.Request) error {
	switch {
	case !request.DryRun.Known():
		return usage(c, "--dry-run is none, client or server")
	case request.Timeout <= 0:
		return usage(c, "--timeout must be longer than nothing, for example 10m")
	case request.Upgrade && !request.Wait:
		return usage(c, "--upgrade follows the upgrade to its end; leave out --wait=false")
	}
	return checkIdentity(c, request.Identity, request.Role)
}

func checkIdentity(c *cobra.Command, identity string, role iam.ControllerOptions) error {
	switch {
	case identity != "" && !slices.Contains(controllerinstall.Identities(), identity):
		return usage(c, "--identity is subscription or annotation")
	case role.BucketPattern != "" && role.PolicyARN != "":
		return usage(c, "--bucket-pattern and --policy-arn each say what the role may do; give one of them")
	}
	return nil
}
