package cmd

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/rolecode"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/role"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const iamLong = `The IAM role as code, for those who review it, or make it by an engine of their own.

  oc ostoy-s3 iam plan -n demo                          what install would change in IAM
  oc ostoy-s3 iam render -n demo --format terraform     the role as code
  oc ostoy-s3 install -n demo --iam=skip                uses the role that came of it
  oc ostoy-s3 iam policy --for install                  the permissions that you need for it

--for controller speaks of the ACK S3 controller's role instead of the app's.`

func newIAMCommand(s *program) *cobra.Command {
	c := newCommand("iam", "Show the IAM role, or print it as code; print the policy for a person", iamLong, (*cobra.Command).Help)
	c.AddCommand(newIAMPlanCommand(s), newIAMRenderCommand(s), newIAMPolicyCommand(s))
	return c
}

// addRoleOf adds which role is meant, and how it is to be.
func addRoleOf(s *program, c *cobra.Command, r *role.Request) {
	flags := c.Flags()
	newFacts(s, c, &r.Facts).add(flags)
	addRole(&r.Role.RoleOptions, flags)
	addAdopt(c, adopt.Role, adoptRoleUsage, func(given adopt.Set) { r.Role.Adopt = given.Role() })
	flags.Lookup("role-path").Usage = "path of the IAM role (default " + render.RolePath + ", for the controller " + render.ControllerRolePath + ")"
	flags.StringVar((*string)(&r.Of), "for", string(role.OfApp), "whose role: app or controller")
	flags.StringVar(&r.Role.BucketPattern, "bucket-pattern", "", "with --for controller: "+bucketPatternUsage)
	completeFlag(c, "for", string(role.OfApp), string(role.OfController))
	first(c, func() error {
		switch {
		case !r.Of.Known():
			return usage(c, "--for is app or controller")
		case r.Role.BucketPattern != "" && r.Of != role.OfController:
			return usage(c, "--bucket-pattern goes with --for controller: the app's role is for one bucket")
		case r.Of == role.OfController:
			return checkIdentity(c, "", r.Role)
		}
		return nil
	})
}

// words are the values of a flag as they are typed.
func words[T ~string](values []T) []string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = string(value)
	}
	return texts
}

const iamPlanLong = `Reads the role from IAM and prints what install would change, as a diff of its
documents: statements and values in one order, so that only what IAM takes for a
difference is one. It changes nothing.

It ends with code 0 whether or not there is something to change; with --check, 4 if
there is. It ends with 4 after the plan if neither the role exists nor OSToy is installed in
the project. A role of that name that is not ours is refused, as by install.`

func newIAMPlanCommand(s *program) *cobra.Command {
	request, format, strict := role.Request{}, session.Format(""), false
	c := newCommand("plan", "Show what install would change in IAM", iamPlanLong, func(c *cobra.Command) error {
		return role.Plan(c.Context(), s.session, request, format, strict)
	})
	addOutput(c, &format, "text", "json")
	addRoleOf(s, c, &request)
	c.Flags().BoolVar(&strict, "check", false, "end with code 4 if there is something to change")
	addLook(c)
	return c
}

const iamRenderLong = `Prints the role as code, the same bytes every time: what install would make, no more
and no less. With all facts given it asks neither the cluster nor AWS.

  text             for people
  aws              a bash script of aws commands, which can be run again
  json             requests for aws iam create-role --cli-input-json, and what follows it
  cloudformation   a template, with issuer and account as parameters
  terraform        HCL, for OpenTofu, too; --import takes over a role that exists
  ack              an object for ACK's IAM controller

  oc ostoy-s3 iam render -n demo --format aws --facts facts.yaml > role.sh`

func newIAMRenderCommand(s *program) *cobra.Command {
	request, format, imported := role.Request{}, "", false
	formats := words(rolecode.Formats())
	c := newCommand("render", "Print the role as code: aws commands, CloudFormation, Terraform, ACK", iamRenderLong, func(c *cobra.Command) error {
		return role.Render(c.Context(), s.session, request, rolecode.Format(format), imported)
	})
	first(c, func() error {
		switch {
		case !slices.Contains(formats, format):
			return usage(c, "unknown format "+format+", use "+strings.Join(formats, ", "))
		case imported && format != "terraform":
			return usage(c, "--import goes with --format terraform")
		}
		return nil
	})
	addRoleOf(s, c, &request)
	c.Flags().StringVar(&format, "format", formats[0], "how: "+strings.Join(formats, "|"))
	c.Flags().BoolVar(&imported, "import", false, "with --format terraform: take over a role of that name that exists")
	addLook(c)
	return c
}

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
	request, format := role.PolicyRequest{}, session.Format("")
	c := newCommand("policy", "Print the IAM policy for a person who uses this tool", iamPolicyLong, func(c *cobra.Command) error {
		if c.Flags().Changed("namespace") {
			request.Policy.Projects = append(request.Policy.Projects, *s.config.Namespace)
		}
		if err := checkPolicy(c, request.Policy); err != nil {
			return err
		}
		return role.Policy(c.Context(), s.session, request)
	})
	c.Example = iamPolicyExample
	addPolicy(&request.Policy, c)
	newFacts(s, c, &request.Facts).addAccount(c.Flags())
	addOutput(c, &format, "json")
	addLook(c)
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
