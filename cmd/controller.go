package cmd

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const controllerLong = `The ACK S3 controller turns Bucket objects into S3 buckets: without one there is no
bucket. A cluster has one, installed once by a cluster admin.

  oc ostoy-s3 controller install --bucket-pattern 'ostoy-*-bucket'  with OLM; without it, prints the Helm command
  oc ostoy-s3 controller install --upgrade                          upgrade to the newest version in the catalog
  oc ostoy-s3 controller status                                     version, identity, region, its errors
  oc ostoy-s3 controller uninstall                                  refused while there are Buckets

A controller that exists, however it was installed, is used without changes.`

func newControllerCommand(s *program) *cobra.Command {
	c := &cobra.Command{
		Use:   "controller",
		Short: "Install, look at and remove the ACK S3 controller",
		Long:  controllerLong,
		Args:  noArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		newControllerInstallCommand(s),
		newControllerRenderCommand(s),
		newControllerStatusCommand(s),
		newControllerUninstallCommand(s),
	)
	return c
}

// addController adds the flags that say which controller there is to be.
func addController(version, identity *string, role *iam.ControllerOptions, flags *pflag.FlagSet) {
	flags.StringVar(version, "version", "", "version of the controller, for example 1.13.0 (default: the one that is there, or the newest)")
	flags.StringVar(identity, "identity", "", "how its pod gets the role: subscription (in the pod itself, which OLM keeps; the default) or annotation (of the service account, by the pod identity webhook)")
	flags.StringVar(&role.Name, "role-name", "", "name of its IAM role (default: ack-s3-controller- and 12 hex digits of a hash of the issuer)")
	flags.StringVar(&role.Path, "role-path", "", "path of its IAM role (default "+render.ControllerRolePath+"; a role that exists stays where it is)")
}

// What the flags about the reach of the controller say, wherever they are.
const (
	bucketPatternUsage  = "names of the S3 buckets that the controller may manage, with * and ?; a new role needs it: 'ostoy-*-bucket', or '*-bucket' for projects of any name"
	allowAnyBucketUsage = "allow project admins to create Buckets even if the cluster cannot limit each project to its own S3 buckets. Also needed if a controller that is not managed by ostoy-s3 can configure every S3 bucket of the account"
)

// addControllerRole adds what else an administrator may want of the role.
func addControllerRole(role *iam.ControllerOptions, flags *pflag.FlagSet) {
	flags.StringVar(&role.BucketPattern, "bucket-pattern", "", bucketPatternUsage)
	flags.StringVar(&role.Boundary, "permissions-boundary", "", "ARN of the policy that bounds its role")
	flags.StringToStringVar(&role.Tags, "tags", nil, "further tags of its role, key=value[,key=value]")
	flags.StringVar(&role.PolicyARN, "policy-arn", "", "attach this managed policy instead of the least-privilege one, for example arn:aws:iam::aws:policy/AmazonS3FullAccess")
}
