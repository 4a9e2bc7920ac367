package cmd

import (
	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/role"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const iamLong = `The IAM role as code, for those who review it, or make it by an engine of their own.

  oc ostoy-s3 iam plan -n demo                          what install would change in IAM
  oc ostoy-s3 iam render -n demo --format terraform     the role as code
  oc ostoy-s3 install -n demo --iam=skip                uses the role that came of it
  oc ostoy-s3 iam policy --for install                  the permissions that you need for it

--for controller speaks of the ACK S3 controller's role instead of the app's.`

func newIAMCommand(s *program) *cobra.Command {
	c := &cobra.Command{
		Use:   "iam",
		Short: "Show the IAM role, or print it as code; print the policy for a person",
		Long:  iamLong,
		Args:  noArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newIAMPlanCommand(s), newIAMRenderCommand(s), newIAMPolicyCommand(s))
	return c
}

// iamFlags say which role is meant, and how it is to be.
type iamFlags struct {
	facts   factFlags
	request role.Request
}

func (f *iamFlags) add(c *cobra.Command) {
	flags := c.Flags()
	f.facts.add(flags)
	addRole(&f.request.Role.RoleOptions, flags)
	addAdopt(c, adopt.Role, adoptRoleUsage, func(given adopt.Set) { f.request.Role.Adopt = given.Role() })
	flags.Lookup("role-path").Usage = "path of the IAM role (default " + render.RolePath + ", for the controller " + render.ControllerRolePath + ")"
	flags.StringVar((*string)(&f.request.Of), "for", string(role.OfApp), "whose role: app or controller")
	flags.StringVar(&f.request.Role.BucketPattern, "bucket-pattern", "", "with --for controller: "+bucketPatternUsage)
	completeFlag(c, "for", string(role.OfApp), string(role.OfController))
}

// complete checks the flags and gathers the facts.
func (f *iamFlags) complete(c *cobra.Command, s *program) (role.Request, error) {
	switch {
	case !f.request.Of.Known():
		return f.request, usage(c, "--for is app or controller")
	case f.request.Role.BucketPattern != "" && f.request.Of != role.OfController:
		return f.request, usage(c, "--bucket-pattern goes with --for controller: the app's role is for one bucket")
	}
	if f.request.Of == role.OfController {
		if err := checkIdentity(c, "", f.request.Role); err != nil {
			return f.request, err
		}
	}
	f.request.Facts = f.facts.request(s, c.Flags())
	return f.request, nil
}

// words are the values of a flag as they are typed.
func words[T ~string](values []T) []string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = string(value)
	}
	return texts
}
