package cmd

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/rolecode"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/role"
)

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
	flags, format, imported := &iamFlags{}, "", false
	formats := words(rolecode.Formats())
	c := &cobra.Command{
		Use:   "render",
		Short: "Print the role as code: aws commands, CloudFormation, Terraform, ACK",
		Long:  iamRenderLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case !slices.Contains(formats, format):
				return usage(c, "unknown format "+format+", use "+strings.Join(formats, ", "))
			case imported && format != "terraform":
				return usage(c, "--import goes with --format terraform")
			}
			request, err := flags.complete(c, s)
			if err != nil {
				return err
			}
			return role.Render(c.Context(), s.session, request, rolecode.Format(format), imported)
		},
	}
	flags.add(c)
	c.Flags().StringVar(&format, "format", formats[0], "how: "+strings.Join(formats, "|"))
	c.Flags().BoolVar(&imported, "import", false, "with --format terraform: take over a role of that name that exists")
	return c
}
