package cmd

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

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
	request := verify.Request{}
	var levels []string
	c := newCommand("verify", "Verify the app's access to its bucket and that other access is refused", verifyLong, func(c *cobra.Command) error {
		for _, level := range levels {
			if !slices.Contains(verify.Levels(), verify.Level(level)) {
				return usage(c, "--level "+level+" is none; there are "+levelNames())
			}
			request.Levels = append(request.Levels, verify.Level(level))
		}
		return verify.Verify(c.Context(), s.session, request)
	})
	flags, facts := c.Flags(), newFacts(s, c, &request.Facts)
	addOutput(c, &request.Output, "", "json")
	addTimeout(c, &request.Timeout, 3*time.Minute)
	flags.StringVar(&facts.profile, "profile", "", "profile of the AWS configuration")
	flags.StringVar(&facts.region, "region", "", "AWS region of the bucket (default: the pods')")
	flags.StringVar(&facts.account, "account-id", "", "AWS account of the install, 12 digits (default: that of your credentials)")
	flags.StringVar(&facts.audience, "audience", "", "token audience of the install (default: the pods', if it is sts.amazonaws.com or openshift)")
	addRoleName(&request.Role, flags)
	flags.StringSliceVar(&levels, "level", nil, "only this level and those it needs: "+levelNames()+"; may be repeated")
	flags.BoolVar(&request.Keep, "keep", false, "leave the objects it wrote in the bucket")
	return c
}

func levelNames() string { return strings.Join(words(verify.Levels()), ", ") }
