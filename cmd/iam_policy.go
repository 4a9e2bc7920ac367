package cmd

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/role"
)

const iamPolicyLong = `Prints an IAM policy for a person who uses this tool, as JSON, for your AWS account.
It changes nothing. An AWS administrator creates the policy and attaches it to the
user, group or role of that person.

  install      install, uninstall, check, status, verify and diff, for all projects
  class        the same for a learner's own projects; every role has the permissions boundary
  controller   controller install and uninstall
  boundary     the permissions boundary for a class

The account is that of your AWS credentials, or --account-id with --region or
--partition. For a class, the cluster's OIDC issuer is looked up, or --oidc-issuer.`

const iamPolicyExample = `  oc ostoy-s3 iam policy --for install > install.json
  aws iam create-policy --policy-name ostoy-s3-install --policy-document file://install.json

  oc ostoy-s3 iam policy --for boundary --project learner1
  oc ostoy-s3 iam policy --for class --project learner1 \
    --permissions-boundary arn:aws:iam::123456789012:policy/ostoy-s3-boundary-learner1

  oc ostoy-s3 iam policy --for controller --account-id 123456789012 --partition aws-us-gov`

func newIAMPolicyCommand(s *program) *cobra.Command {
	facts, request, output := &factFlags{}, role.PolicyRequest{}, newOutput("json")
	c := &cobra.Command{
		Use:     "policy",
		Short:   "Print the IAM policy for a person who uses this tool",
		Long:    iamPolicyLong,
		Example: iamPolicyExample,
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(c); err != nil {
				return err
			}
			if c.Flags().Changed("namespace") {
				request.Policy.Projects = append(request.Policy.Projects, *s.config.Namespace)
			}
			if err := checkPolicy(c, request.Policy); err != nil {
				return err
			}
			request.Facts = facts.request(s, c.Flags())
			return role.Policy(c.Context(), s.session, request)
		},
	}
	addPolicy(&request.Policy, c)
	facts.addAccount(c.Flags())
	output.add(c.Flags())
	return c
}

func addPolicy(policy *iam.PeopleOptions, c *cobra.Command) {
	flags, names := c.Flags(), words(iam.Policies())
	flags.StringVar((*string)(&policy.For), "for", "", "what the policy is for: "+strings.Join(names, "|"))
	flags.StringVar(&policy.Boundary, "permissions-boundary", "", "ARN of the permissions boundary that every role must have (required for class)")
	flags.StringArrayVar(&policy.Projects, "project", nil, "project of the class, or a pattern with * and ?; may be repeated (-n NAME is the same)")
	flags.StringVar(&policy.BucketPattern, "bucket-pattern", "", "names of the S3 buckets, with * and ?; for install (default *-bucket) and boundary")
	flags.StringVar(&policy.RoleName, "role-name", "", "also this role, with * and ? in the name; for install and controller")
	flags.StringVar(&policy.RolePath, "role-path", "", "path of that role; for install and controller")
	flags.StringArrayVar(&policy.TagKeys, "tag-key", nil, "also this tag key, for install --tags; may be repeated; for install and class")
	flags.BoolVar(&policy.WithController, "with-controller", false, "for a person who has the policy for controller as well; for install")
	completeFlag(c, "for", names...)
}

// checkPolicy refuses a flag that has no effect on the policy that is asked for.
func checkPolicy(c *cobra.Command, policy iam.PeopleOptions) error {
	const class, install, controller, boundary = iam.ForClass, iam.ForInstall, iam.ForController, iam.ForBoundary
	if !policy.For.Known() {
		return usage(c, "--for must be one of "+strings.Join(words(iam.Policies()), ", "))
	}
	for _, flag := range []struct {
		name  string
		given bool
		goes  []iam.PolicyFor
	}{
		{"--project (or -n)", len(policy.Projects) > 0, []iam.PolicyFor{class, boundary}},
		{"--bucket-pattern", policy.BucketPattern != "", []iam.PolicyFor{install, boundary}},
		{"--permissions-boundary", policy.Boundary != "", []iam.PolicyFor{install, class, controller}},
		{"--role-name and --role-path", policy.RoleName+policy.RolePath != "", []iam.PolicyFor{install, controller}},
		{"--tag-key", len(policy.TagKeys) > 0, []iam.PolicyFor{install, class}},
		{"--with-controller", policy.WithController, []iam.PolicyFor{install}},
	} {
		if flag.given && !slices.Contains(flag.goes, policy.For) {
			return usage(c, flag.name+" cannot be used with --for "+string(policy.For))
		}
	}
	if len(policy.Projects) > 0 && policy.BucketPattern != "" {
		return usage(c, "use --project (or -n) or --bucket-pattern, not both")
	}
	return nil
}
