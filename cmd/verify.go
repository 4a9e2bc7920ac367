package cmd

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/verify"
)

const verifyLong = `Verifies the app's access to its bucket and that other access is refused:

  identity   the pods and the service account name the role of this install, and a
             token of ostoy-sa, exchanged at AWS, is that role
  access     with it, the calls OSToy makes work: list, put, get
  isolation  the role is refused to other service accounts, projects and audiences;
             with it, other buckets, deleting, and reading IAM are refused
  app        OSToy's own pages write an object, show it, and S3 has it

A level is verified only if the probes that it needs could be tried. Other IAM
principals, who reaches the Route, the S3 controller, and other clusters that use the
account are not part of it.

  oc ostoy-s3 verify -n demo
  oc ostoy-s3 verify -n demo --level access -o json

Your own AWS credentials are used to remove the objects it wrote, below
ostoy-s3-verify/, to find another bucket to try, and to know the account that the
role must be of. Without any, name the account with --account-id; and the region with
--region, unless your AWS configuration names it.
A change to IAM takes a while to be known everywhere: it is waited for, up to a
minute, or half of --timeout if that is less.`

func newVerifyCommand(s *program) *cobra.Command {
	facts, request := &factFlags{}, verify.Request{}
	output := newOutput("", "json")
	var levels []string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Verify the app's access to its bucket and that other access is refused",
		Long:  verifyLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(c); err != nil {
				return err
			}
			for _, level := range levels {
				request.Levels = append(request.Levels, verify.Level(level))
			}
			if err := checkVerify(c, request); err != nil {
				return err
			}
			request.Facts = facts.request(s, c.Flags())
			request.Output = session.Format(output.value)
			return verify.Verify(c.Context(), s.session, request)
		},
	}
	const timeout = 3 * time.Minute
	flags := c.Flags()
	flags.StringVar(&facts.profile, "profile", "", "profile of the AWS configuration")
	flags.StringVar(&facts.region, "region", "", "AWS region of the bucket (default: the pods')")
	flags.StringVar(&facts.account, "account-id", "", "AWS account of the install, 12 digits (default: that of your credentials)")
	flags.StringVar(&facts.audience, "audience", "", "token audience of the install (default: the pods', if it is sts.amazonaws.com or openshift)")
	addRoleName(&request.Role, flags)
	flags.StringSliceVar(&levels, "level", nil, "only this level and those it needs: "+levelNames()+"; may be repeated")
	flags.BoolVar(&request.Keep, "keep", false, "leave the objects it wrote in the bucket")
	flags.DurationVar(&request.Timeout, "timeout", timeout, "how long all of it may take")
	output.add(flags)
	return c
}

func levelNames() string { return strings.Join(words(verify.Levels()), ", ") }

// checkVerify holds the flags against what they may be.
func checkVerify(c *cobra.Command, request verify.Request) error {
	if request.Timeout <= 0 {
		return usage(c, "--timeout must be longer than nothing, for example 3m")
	}
	for _, level := range request.Levels {
		if !slices.Contains(verify.Levels(), level) {
			return usage(c, "--level "+string(level)+" is none; there are "+levelNames())
		}
	}
	return nil
}
