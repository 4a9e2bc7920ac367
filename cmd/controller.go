package cmd

import (
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	controllerinstall "github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller/install"
	controllerrender "github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller/render"
	controllerstatus "github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller/status"
	controlleruninstall "github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller/uninstall"
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
	c := newCommand("controller", "Install, look at and remove the ACK S3 controller", controllerLong, (*cobra.Command).Help)
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
	request := controllerinstall.Request{}
	c := newCommand("install", "Install the ACK S3 controller, once for the cluster", controllerInstallLong, func(c *cobra.Command) error {
		if request.Upgrade && !request.Wait {
			return usage(c, "--upgrade follows the upgrade to its end; leave out --wait=false")
		}
		if err := checkIdentity(c, request.Identity, request.Role); err != nil {
			return err
		}
		request.Ask = asker(s)
		return controllerinstall.Run(c.Context(), s.session, request)
	})
	flags := c.Flags()
	newFacts(s, c, &request.Facts).add(flags)
	addController(&request.Version, &request.Identity, &request.Role, flags)
	addControllerRole(&request.Role, flags)
	addAdopt(c, adopt.Role, "role (take over a role of that name that this tool did not make for this cluster)", func(given adopt.Set) {
		request.Role.Adopt = given.Role()
	})
	addOutput(c, &request.Output, "", "json")
	flags.BoolVar(&request.Upgrade, "upgrade", false, "upgrade to the newest version in the catalog, or to --version; approves one InstallPlan after another")
	flags.BoolVar(&request.AllowAnyBucket, "allow-any-bucket", false, allowAnyBucketUsage)
	flags.BoolVarP(&request.Yes, "yes", "y", false, "do not ask; a script needs it to narrow --bucket-pattern, and if existing Buckets name S3 buckets of other projects")
	addDryRun(c, &request.DryRun)
	flags.BoolVar(&request.Wait, "wait", true, "wait until the controller runs; without it, nothing approves its InstallPlan")
	addTimeout(c, &request.Timeout, 10*time.Minute)
	addForceConflicts(&request.ForceConflicts, flags)
	addForceOwner(&request.ForceOwner, flags)
	return c
}

// checkIdentity holds flags against what they may be.
func checkIdentity(c *cobra.Command, identity string, role iam.ControllerOptions) error {
	switch {
	case identity != "" && !slices.Contains(controllerinstall.Identities(), identity):
		return usage(c, "--identity is subscription or annotation")
	case role.BucketPattern != "" && role.PolicyARN != "":
		return usage(c, "--bucket-pattern and --policy-arn each say what the role may do; give one of them")
	}
	return nil
}

const controllerRenderLong = `Prints what brings the ACK S3 controller to a cluster, for GitOps, or for an admin who
is to apply it: the objects for OLM where the cluster has it; elsewhere the values for
ACK's own chart. Its IAM role is not among them: controller install makes that.

  oc ostoy-s3 controller render > controller.yaml
  oc ostoy-s3 controller render --values > values.yaml
  oc ostoy-s3 controller render --facts facts.yaml --version 1.13.0     without a cluster`

func newControllerRenderCommand(s *program) *cobra.Command {
	request := controllerrender.Request{}
	c := newCommand("render", "Print what brings the ACK S3 controller: OLM's objects, or values for ACK's chart", controllerRenderLong, func(c *cobra.Command) error {
		if err := checkIdentity(c, request.Identity, request.Role); err != nil {
			return err
		}
		return controllerrender.Run(c.Context(), s.session, request)
	})
	newFacts(s, c, &request.Facts).add(c.Flags())
	addController(&request.Version, &request.Identity, &request.Role, c.Flags())
	c.Flags().BoolVar(&request.Values, "values", false, "print the values for ACK's chart, also where there is OLM")
	addLook(c)
	return c
}

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
	request := controllerstatus.Request{}
	c := newCommand("status", "Show the state of the ACK S3 controller, and its errors", controllerStatusLong, func(c *cobra.Command) error {
		return controllerstatus.Run(c.Context(), s.session, request)
	})
	newFacts(s, c, &request.Facts)
	addOutput(c, &request.Output, "table", "json", "yaml")
	addTimeout(c, &request.Timeout, 2*time.Minute)
	c.Flags().Lookup("timeout").Usage = "how long the look may take"
	return c
}

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
	request := controlleruninstall.Request{}
	c := newCommand("uninstall", "Remove the ACK S3 controller; refused while there are Buckets", controllerUninstallLong, func(c *cobra.Command) error {
		return controlleruninstall.Run(c.Context(), s.session, request)
	})
	flags := c.Flags()
	newFacts(s, c, &request.Facts).addWhose(flags)
	addOutput(c, &request.Output, "", "json")
	addDryRunClient(c, &request.DryRun)
	addTimeout(c, &request.Timeout, 10*time.Minute)
	flags.BoolVar(&request.KeepRole, "keep-role", false, "keep the controller's IAM role; then no AWS credentials are needed")
	addForceOwner(&request.ForceOwner, flags)
	addAdopt(c, adopt.Role, "role (also remove a role of ours that others attached policies to)", func(given adopt.Set) {
		request.Adopt = given
	})
	return c
}
