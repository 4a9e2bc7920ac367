package cmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
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
	request := uninstall.Request{}
	c := newCommand("uninstall", "Remove app, bucket and role, in the safe order; data is kept", uninstallLong, func(c *cobra.Command) error {
		if err := checkUninstall(c, request); err != nil {
			return err
		}
		request.Ask = asker(s)
		return uninstall.Run(c.Context(), s.session, request)
	})
	newFacts(s, c, &request.Facts).addWhose(c.Flags())
	addOutput(c, &request.Output, "", "json")
	addDryRunClient(c, &request.DryRun)
	addTimeout(c, &request.Timeout, 5*time.Minute)
	addUninstall(&request, c)
	return c
}

func addUninstall(request *uninstall.Request, c *cobra.Command) {
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
}

// checkUninstall holds flags against each other and against what they may be.
func checkUninstall(c *cobra.Command, request uninstall.Request) error {
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
