package cmd

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin"
)

// addAdopt adds the leaves that bring in an app that was made by hand: they change
// what install does, and so what diff says of it.
func addAdopt(adopt, tighten *bool, flags *pflag.FlagSet) {
	flags.BoolVar(adopt, "adopt", false, "bring in what the ROSA tutorial made by hand in the project; its role is used as it is")
	flags.BoolVar(tighten, "tighten-role", false, "with --adopt: make the tutorial's role least-privilege, after a diff")
}

// checkAdopt holds them against each other and against those of a role.
func checkAdopt(c *cobra.Command, adopt, tighten bool, mode plugin.IAMMode, role plugin.RoleRequest) error {
	switch {
	case tighten && !adopt:
		return usage(c, "--tighten-role goes with --adopt")
	case tighten && mode == plugin.IAMSkip:
		return usage(c, "--tighten-role changes the role; with --iam=skip nothing is written to IAM")
	case adopt && role.Adopt:
		return usage(c, "--adopt uses the tutorial's role as it is, and --tighten-role narrows it; leave out --adopt-role")
	case tighten && (role.Name != "" || role.Path != ""):
		return usage(c, "--tighten-role is about the role that the service account names; leave out --role-name and --role-path")
	case tighten && role.PolicyARN != "":
		return usage(c, "--tighten-role gives the role the narrow policy; leave out --policy-arn")
	}
	return nil
}
