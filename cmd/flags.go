package cmd

import (
	"context"
	"slices"
	"strings"
	"time"

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

// newFacts gives the flags for the facts of a command, which go into its request.
func newFacts(s *program, c *cobra.Command, into *session.Facts) *factFlags {
	f := &factFlags{}
	first(c, func() error {
		*into = f.request(s, c.Flags())
		return nil
	})
	return f
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

// addChart adds Helm's ways to give values.
func addChart(f *session.Chart, flags *pflag.FlagSet) {
	flags.StringArrayVarP(&f.Files, "values", "f", nil, "file of chart values; may be repeated; - for stdin")
	flags.StringArrayVar(&f.Set, "set", nil, "chart value, key=value[,key=value]; may be repeated")
	flags.StringArrayVar(&f.SetString, "set-string", nil, "chart value that is always a string; may be repeated")
}

// addChartAgain is addChart for commands that use the values of the last install again.
func addChartAgain(f *session.Chart, flags *pflag.FlagSet) {
	addChart(f, flags)
	flags.BoolVar(&f.Reset, "reset-values", false, "do not use the values of the last install again")
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
	flags.StringVar((*string)(mode), "iam", string(plan.IAMAsBefore), "apply (create the role) or skip (use the one that another tool created as iam render prints it); by default as in the last install, and apply in the first one")
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

// addOutput adds -o with the formats that a command knows; the first is the default.
func addOutput(c *cobra.Command, value *session.Format, formats ...string) {
	named := slices.DeleteFunc(slices.Clone(formats), func(format string) bool { return format == "" })
	c.Flags().StringVarP((*string)(value), "output", "o", formats[0], "output format: "+strings.Join(named, "|"))
	first(c, func() error {
		if !slices.Contains(formats, string(*value)) {
			return usage(c, "unknown output format "+string(*value)+", use "+strings.Join(named, ", "))
		}
		return nil
	})
}

// addTimeout adds the time that a command has.
func addTimeout(c *cobra.Command, timeout *time.Duration, usually time.Duration) {
	c.Flags().DurationVar(timeout, "timeout", usually, "how long all of it may take")
	first(c, func() error {
		if *timeout <= 0 {
			return usage(c, "--timeout must be longer than nothing, for example "+strings.TrimSuffix(usually.String(), "0s"))
		}
		return nil
	})
}

// usualLook is how long a command may take that only asks, unless the user says otherwise:
// the limits of a request end most waits much earlier.
const usualLook = 2 * time.Minute

// addLook adds the time that a command has which only asks, and ends it after that.
func addLook(c *cobra.Command) {
	var timeout time.Duration
	addTimeout(c, &timeout, usualLook)
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		outer := c.Context()
		limited, cancel := context.WithTimeout(outer, timeout)
		defer cancel()
		c.SetContext(limited)
		err := run(c, args)
		if err == nil || outer.Err() != nil || limited.Err() == nil {
			return err
		}
		return session.CutOff(outer, err, timeout, func() string { return "nothing was changed" })
	}
}

// addDryRun adds kubectl's flag, which wants a word: a bare --dry-run is refused.
func addDryRun(c *cobra.Command, dryRun *session.DryRun) {
	c.Flags().StringVar((*string)(dryRun), "dry-run", "none", "none, client (nothing is sent) or server (sent, not persisted)")
	c.Flags().Lookup("dry-run").NoOptDefVal = "unchanged"
	first(c, func() error {
		if !dryRun.Known() {
			return usage(c, "--dry-run is none, client or server")
		}
		return nil
	})
}

// addDryRunClient adds the dry run of what only deletes.
func addDryRunClient(c *cobra.Command, dryRun *bool) {
	word := ""
	c.Flags().StringVar(&word, "dry-run", "none", "none or client: only say what would be removed; alone it means client")
	c.Flags().Lookup("dry-run").NoOptDefVal = "client"
	first(c, func() error {
		switch *dryRun = word == "client"; word {
		case "none", "client":
			return nil
		case "server":
			return usage(c, "--dry-run=server is of no use here: there is nothing the API server could check; use --dry-run")
		}
		return usage(c, "--dry-run is none or client")
	})
}
