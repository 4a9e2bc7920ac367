package cmd

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/uninstall"
)

const uninstallLong = `Removes what install created: the app, then the S3 bucket if it is empty, then the
IAM role. It needs none of the flags that install had. What is not managed by ostoy-s3
is kept, and so is data: a bucket with objects in it, and the volume, are kept and
listed.

  oc ostoy-s3 uninstall -n demo --dry-run            what would be removed
  oc ostoy-s3 uninstall -n demo                      everything but data
  oc ostoy-s3 uninstall -n demo --delete-data        data, too; asks for the bucket's name
  oc ostoy-s3 uninstall -n demo --delete-data --yes  the same in a script

The S3 bucket is deleted only if the IAM role of the project names it. If the role no
longer exists, confirm with --adopt=bucket that the bucket is the project's.

It asks for confirmation before it deletes data, before it deletes a bucket because
of --adopt=bucket, and if it cannot determine what is meant. In a script, add --yes.`

func newUninstallCommand(s *program) *cobra.Command {
	facts, request := &factFlags{}, uninstall.Request{}
	output := newOutput("", "json")
	dryRun := ""
	c := &cobra.Command{
		Use:   "uninstall",
		Short: "Remove app, bucket and role, in the safe order; data is kept",
		Long:  uninstallLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(c); err != nil {
				return err
			}
			if err := checkUninstall(c, request, dryRun); err != nil {
				return err
			}
			request.DryRun = dryRun == "client"
			request.Facts = facts.request(s, c.Flags())
			request.Output = session.Format(output.value)
			request.Ask = asker(s)
			return uninstall.Run(c.Context(), s.session, request)
		},
	}
	facts.addWhose(c.Flags())
	output.add(c.Flags())
	addUninstall(&request, c)
	addDryRunClient(&dryRun, c.Flags())
	return c
}

// addDryRunClient adds the dry run of what only deletes.
func addDryRunClient(dryRun *string, flags *pflag.FlagSet) {
	flags.StringVar(dryRun, "dry-run", "none", "none or client: only say what would be removed; alone it means client")
	flags.Lookup("dry-run").NoOptDefVal = "client"
}

// checkDryRunClient refuses what such a command's dry run cannot be.
func checkDryRunClient(c *cobra.Command, dryRun string) error {
	switch dryRun {
	case "none", "client":
		return nil
	case "server":
		return usage(c, "--dry-run=server is of no use here: there is nothing the API server could check; use --dry-run")
	}
	return usage(c, "--dry-run is none or client")
}

func addUninstall(request *uninstall.Request, c *cobra.Command) {
	const timeout = 5 * time.Minute
	const words = "bucket (remove the bucket although no IAM role of the project names it), role (remove the role of the project although others attached policies to it)"
	flags := c.Flags()
	addAdopt(c, adopt.Bucket|adopt.Role, words, func(given adopt.Set) { request.Adopt = given })
	flags.BoolVar(&request.DeleteData, "delete-data", false, "also delete all objects in the bucket, in all versions, and the volume, for good")
	flags.BoolVar(&request.KeepBucket, "keep-bucket", false, "keep the bucket even if it is empty")
	flags.BoolVar(&request.KeepRole, "keep-role", false, "keep the IAM role")
	flags.BoolVar(&request.RoleOnly, "role-only", false, "remove the IAM role and nothing else; needs no cluster")
	flags.BoolVar(&request.DeleteNamespace, "delete-namespace", false, "also delete the project, if install made it and nothing else is in it")
	addForceOwner(&request.ForceOwner, flags)
	flags.BoolVarP(&request.Yes, "yes", "y", false, "do not ask; a script that deletes data must say so")
	flags.DurationVar(&request.Timeout, "timeout", timeout, "how long all of it may take")
}

// checkRemoval checks the flags of every uninstall.
func checkRemoval(c *cobra.Command, timeout time.Duration, dryRun string) error {
	if err := checkDryRunClient(c, dryRun); err != nil {
		return err
	}
	if timeout <= 0 {
		return usage(c, "--timeout must be longer than nothing, for example 5m")
	}
	return nil
}

// checkUninstall holds flags against each other and against what they may be.
func checkUninstall(c *cobra.Command, request uninstall.Request, dryRun string) error {
	if err := checkRemoval(c, request.Timeout, dryRun); err != nil {
		return err
	}
	cluster := request.DeleteData || request.DeleteNamespace || request.KeepBucket
	switch {
	case request.DeleteData && request.KeepBucket:
		return usage(c, "--delete-data deletes the bucket, --keep-bucket keeps it; give one of them")
	case request.RoleOnly && request.KeepRole:
		return usage(c, "--role-only removes the role, --keep-role keeps it; give one of them")
	case request.RoleOnly && cluster:
		return usage(c, "--role-only touches nothing but the role; leave out --delete-data, --delete-namespace and --keep-bucket")
	case request.Adopt.Bucket() && (request.KeepBucket || request.RoleOnly):
		return usage(c, "--adopt=bucket removes the bucket; leave out --keep-bucket and --role-only")
	}
	return nil
}
