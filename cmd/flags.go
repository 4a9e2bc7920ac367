package cmd

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// factFlags give facts by hand; what is given is not looked up.
type factFlags struct {
	file, profile                                                    string
	account, partition, region, issuer, audience, platform, kube, id string
	apiVersions                                                      []string
}

func (f *factFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.file, "facts", "", factsUsage)
	f.addEach(flags)
}

const factsUsage = "file of facts, as \"oc ostoy-s3 facts -o yaml\" prints; - for stdin"

// addEach adds a flag for each fact.
func (f *factFlags) addEach(flags *pflag.FlagSet) {
	f.addWhose(flags)
	flags.StringVar(&f.partition, "partition", "", partitionUsage)
	flags.StringVar(&f.audience, "audience", "", "token audience the role trusts (default "+render.DefaultAudience+")")
	flags.StringVar(&f.platform, "platform", "", "rosa-hcp, rosa-classic, openshift, eks or kubernetes")
	flags.StringVar(&f.kube, "kube-version", "", "Kubernetes version of the cluster, v1.33.0")
	flags.StringVar(&f.id, "cluster-id", "", "cluster id of OpenShift, a UUID")
	flags.StringSliceVar(&f.apiVersions, "api-versions", nil, "API groups and versions the cluster serves, as Helm's flag")
}

// addAccount adds the flags for facts that a policy for a person depends on.
func (f *factFlags) addAccount(flags *pflag.FlagSet) {
	flags.StringVar(&f.file, "facts", "", factsUsage)
	f.addWhose(flags)
	flags.StringVar(&f.partition, "partition", "", partitionUsage)
}

const partitionUsage = "AWS partition: aws, aws-us-gov, aws-cn or aws-eusc"

// addWhose adds the flags for facts by which role and bucket are found again.
func (f *factFlags) addWhose(flags *pflag.FlagSet) {
	flags.StringVar(&f.profile, "profile", "", "profile of the AWS configuration")
	flags.StringVar(&f.account, "account-id", "", "AWS account, 12 digits")
	flags.StringVar(&f.region, "region", "", "AWS region of the bucket")
	flags.StringVar(&f.issuer, "oidc-issuer", "", "service account issuer of the cluster, https://...")
}

// request collects the facts given by flags. pflag's Changed is what tells an
// empty value somebody gave from a flag nobody used.
func (f *factFlags) request(s *program, flags *pflag.FlagSet) session.Facts {
	given := render.Facts{}
	for _, flag := range []struct {
		fact  *render.Fact
		name  string
		value string
	}{
		{&given.Namespace, "namespace", *s.config.Namespace},
		{&given.Account, "account-id", f.account},
		{&given.Partition, "partition", f.partition},
		{&given.Region, "region", f.region},
		{&given.Issuer, "oidc-issuer", f.issuer},
		{&given.Audience, "audience", f.audience},
		{&given.Platform, "platform", f.platform},
		{&given.KubeVersion, "kube-version", f.kube},
		{&given.ClusterID, "cluster-id", f.id},
	} {
		if flags.Changed(flag.name) {
			*flag.fact = render.Fact{Value: flag.value, Source: "flag --" + flag.name}
		}
	}
	if len(f.apiVersions) > 0 {
		given.APIVersions = render.ListFact{Values: f.apiVersions, Source: "flag --api-versions"}
	}
	return session.Facts{Given: given, File: f.file, Profile: f.profile}
}

// chartFlags are Helm's ways to give values.
type chartFlags struct{ session.Chart }

func (f *chartFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&f.Files, "values", "f", nil, "file of chart values; may be repeated; - for stdin")
	flags.StringArrayVar(&f.Set, "set", nil, "chart value, key=value[,key=value]; may be repeated")
	flags.StringArrayVar(&f.SetString, "set-string", nil, "chart value that is always a string; may be repeated")
}

// addRoleName adds the flags that decide the role's ARN, which is part of the
// manifests.
func addRoleName(role *iam.RoleOptions, flags *pflag.FlagSet) {
	flags.StringVar(&role.Name, "role-name", "", "name of the IAM role (default: from namespace and issuer)")
	flags.StringVar(&role.Path, "role-path", "", "path of the IAM role (default "+render.RolePath+")")
}

// addRole adds what else an administrator may want of the role.
func addRole(role *iam.RoleOptions, flags *pflag.FlagSet) {
	addRoleName(role, flags)
	flags.StringVar(&role.Boundary, "permissions-boundary", "", "ARN of the policy that bounds the role")
	flags.StringToStringVar(&role.Tags, "tags", nil, "further tags of the role, key=value[,key=value]")
	flags.StringVar(&role.PolicyARN, "policy-arn", "", "attach this managed policy instead of the least-privilege one")
}

// addIAM adds who makes the role.
func addIAM(mode *plan.IAMMode, flags *pflag.FlagSet) {
	flags.StringVar((*string)(mode), "iam", string(plan.IAMApply), "apply (make the role) or skip (use the one that somebody made as iam render prints it)")
}

// checkIAM holds that against what else is said of the role.
func checkIAM(c *cobra.Command, mode plan.IAMMode, role iam.RoleOptions) error {
	switch {
	case !mode.Known():
		return usage(c, "--iam is apply or skip")
	case mode == plan.IAMSkip && (role.Adopt || role.Boundary != "" || len(role.Tags) > 0):
		return usage(c, "--adopt=role, --permissions-boundary and --tags say how the role is made; with --iam=skip it is not made")
	}
	return nil
}

// addForceConflicts adds a flag that changes what install does, and so what diff says of it.
func addForceConflicts(force *bool, flags *pflag.FlagSet) {
	flags.BoolVar(force, "force-conflicts", false, "take over objects and fields that somebody else manages")
}

// addForceOwner adds the leave to work on what a GitOps engine or Helm works on,
// too. Both commands that change objects have it.
func addForceOwner(force *bool, flags *pflag.FlagSet) {
	flags.BoolVar(force, "force-owner", false, "go on although Argo CD, Flux or Helm manage some of the objects, and may undo what is done here")
}

// outputFlag is -o with the formats a command knows; the first is the default.
type outputFlag struct {
	value   string
	formats []string
}

func newOutput(formats ...string) *outputFlag { return &outputFlag{formats[0], formats} }

func (o *outputFlag) add(flags *pflag.FlagSet) {
	known := strings.Join(o.formats, "|")
	if o.formats[0] == "" {
		known = strings.Join(o.formats[1:], "|")
	}
	flags.StringVarP(&o.value, "output", "o", o.value, "output format: "+known)
}

func (o *outputFlag) check(c *cobra.Command) error {
	for _, format := range o.formats {
		if o.value == format {
			return nil
		}
	}
	return usage(c, "unknown output format "+o.value+", use "+strings.Trim(strings.Join(o.formats, ", "), ", "))
}
