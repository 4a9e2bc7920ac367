package iam

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// PolicyFor is what a policy that PeoplePolicy writes is for.
type PolicyFor string

// The policies, in the order in which they are listed.
const (
	ForInstall    PolicyFor = "install"    // runs install, uninstall, check, status, verify, diff
	ForClass      PolicyFor = "class"      // a learner: the roles of some projects, within a boundary
	ForController PolicyFor = "controller" // runs controller install and uninstall
	ForBoundary   PolicyFor = "boundary"   // the permissions boundary of the apps' roles
)

// Policies are all of them.
func Policies() []PolicyFor { return []PolicyFor{ForInstall, ForClass, ForController, ForBoundary} }

// Known reports whether p is one of them.
func (p PolicyFor) Known() bool { return slices.Contains(Policies(), p) }

// PeopleOptions is what a user may say about the policy of a person.
type PeopleOptions struct {
	For PolicyFor
	// Boundary is the ARN of the permissions boundary that every role must have.
	// ForClass requires it.
	Boundary string
	// BucketPattern is which S3 buckets are covered: of ForInstall, default
	// AnyProjectPattern, and of ForBoundary, which has no default.
	BucketPattern string
	// Projects are names of projects, or patterns with * and ?. ForClass requires
	// one; ForBoundary requires one or BucketPattern.
	Projects []string
	// RoleName and RolePath name one more role, beside those that the tool names
	// itself; the name may have * and ? in it. Of ForInstall and ForController.
	RoleName, RolePath string
	// TagKeys are further keys that a role may be tagged with, for install --tags.
	// Of ForInstall and ForClass.
	TagKeys []string
	// WithController leaves out what denies changes of the controller's role, for a
	// person who has the policy of ForController as well. Of ForInstall.
	WithController bool
}

// maxManagedPolicy is the quota of a managed policy in "IAM and AWS STS quotas" of
// the IAM User Guide; white space does not count.
const maxManagedPolicy = 6144

// PeoplePolicy is the policy that allows a person what they use this tool for, and
// what the reader should know about it, a sentence each. It asks nobody: account
// and partition must be known, and the issuer for ForClass. What cannot be is a
// *problem.Error.
func PeoplePolicy(f render.Facts, o PeopleOptions) (Document, []string, error) {
	if err := o.validate(f); err != nil {
		return Document{}, nil, err
	}
	p := people{f: f, o: o, partition: f.Partition.Value, account: f.Account.Value}
	d := Document{Version: policyVersion}
	switch o.For {
	case ForInstall:
		d.Statement = p.install()
	case ForClass:
		d.Statement = p.class()
	case ForController:
		d.Statement = p.controller()
	case ForBoundary:
		d.Statement = p.boundary()
	}
	if size := sizeOf(d); size > maxManagedPolicy {
		return Document{}, nil, problem.Input(fmt.Sprintf("the policy is too long: %d characters", size),
			fmt.Sprintf("IAM accepts at most %d in a managed policy", maxManagedPolicy),
			"print a policy for each learner, with fewer --project flags; or use a pattern, such as --project 'ostoy-*'")
	}
	return d, o.notes(), nil
}

// sizeOf counts the characters that IAM counts.
func sizeOf(d Document) (n int) {
	for _, r := range d.JSON() {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

func (o PeopleOptions) notes() []string {
	var notes []string
	if o.For == ForInstall || o.For == ForController {
		if o.Boundary == "" {
			notes = append(notes, "this policy can give a role any permission; with --permissions-boundary ARN, only what the boundary allows")
		} else {
			notes = append(notes, "a role that exists without the boundary keeps its permissions, and this policy can change who assumes it: give it the boundary first")
		}
	}
	if o.For == ForInstall && !o.WithController {
		notes = append(notes, "this policy denies all changes of the controller's role, also those that another policy allows; "+
			"for a person who has the policy for controller as well, add --with-controller")
	}
	if (o.For == ForClass || o.For == ForBoundary) && slices.ContainsFunc(o.Projects, isPattern) {
		notes = append(notes, "the policy covers all projects that match "+strings.Join(o.Projects, ", ")+
			": everybody who has it can change the roles of the others; to separate learners, print a policy for each")
		if o.For == ForBoundary {
			notes[len(notes)-1] = "a role with this boundary can be given the buckets of all projects that match " + strings.Join(o.Projects, ", ")
		}
	}
	if o.For == ForBoundary && isPattern(o.BucketPattern) {
		notes = append(notes, "a role with this boundary can be given all S3 buckets of the account that match "+o.BucketPattern)
	}
	return notes
}

func isPattern(s string) bool { return strings.ContainsAny(s, "*?") }

// Check says what is missing of the options, before any fact is known.
func (o PeopleOptions) Check() error {
	switch {
	case o.For == ForClass && o.Boundary == "":
		return problem.Input("--for class requires --permissions-boundary ARN",
			"without a permissions boundary, a learner who creates roles can give them any permission",
			"create one from the output of --for boundary --project NAME, then add --permissions-boundary arn:aws:iam::ACCOUNT:policy/NAME")
	case o.For == ForClass && strings.Contains(o.Boundary, ":iam::aws:"):
		return problem.Input("the permissions boundary of a class must not be an AWS managed policy",
			"a learner can give a role every permission that the boundary allows, and no AWS managed policy is limited to the learner's buckets",
			"create one from the output of --for boundary --project NAME")
	case o.For == ForBoundary && len(o.Projects) == 0 && o.BucketPattern == "":
		return problem.Input("--for boundary requires --project NAME or --bucket-pattern PATTERN",
			"a learner can give a role every permission that the boundary allows: on these S3 buckets, and on no others",
			"--project NAME for each project of the learner, or --bucket-pattern 'ostoy-*-bucket'")
	case o.For == ForClass && len(o.Projects) == 0:
		return problem.Input("--for class requires --project NAME",
			"the policy allows a learner to change the roles of their own projects only",
			"--project NAME for each project of the learner, or a pattern, such as --project 'ostoy-*'")
	}
	for _, project := range o.Projects {
		if err := checkProject(project, o.For); err != nil {
			return err
		}
	}
	for _, key := range o.TagKeys {
		if err := checkTagKey(key); err != nil {
			return err
		}
	}
	if o.BucketPattern != "" {
		if err := CheckBucketPattern(o.BucketPattern); err != nil {
			return err
		}
	}
	return o.checkRole()
}

// validate is Check, and what depends on the facts.
func (o PeopleOptions) validate(f render.Facts) error {
	if err := o.Check(); err != nil {
		return err
	}
	switch {
	case !f.Account.Known() || !f.Partition.Known():
		return problem.Input("the AWS account or its partition is unknown", "the ARNs in the policy contain both",
			"--account-id ID --partition PARTITION")
	case o.For == ForClass && !f.Issuer.Known():
		return problem.Input("the cluster's OIDC issuer is unknown",
			"the policy is for the projects of one cluster: another cluster of the account can have projects of the same names",
			"--oidc-issuer URL")
	}
	return checkPolicyARN("--permissions-boundary", o.Boundary, f)
}

// checkRole checks the further role: its name with the wildcards taken out.
func (o PeopleOptions) checkRole() error {
	if o.RoleName != "" {
		if err := checkName(strings.NewReplacer("*", "x", "?", "x").Replace(o.RoleName)); err != nil {
			return err
		}
	}
	if strings.ContainsAny(o.RolePath, "*?$") {
		return problem.Input(fmt.Sprintf("invalid role path %q", o.RolePath),
			"a path in a policy must not contain * ? or $",
			shell.Words("--role-path", render.RolePath))
	}
	if o.RolePath != "" {
		return checkPath(o.RolePath)
	}
	return nil
}

// checkProject accepts the name of a project, and a pattern of one. A learner who can
// tag a role as one of the controller's namespace can make it look like its role.
func checkProject(project string, purpose PolicyFor) error {
	if !isPattern(project) {
		if err := render.ValidateNamespace(project); err != nil {
			return err
		}
	} else if !regexp.MustCompile(`^[a-z0-9*?-]{1,63}$`).MatchString(project) {
		return problem.Input(fmt.Sprintf("invalid project pattern %q", project),
			"a project name has at most 63 of a-z, 0-9 and hyphen; in a pattern, * is any text and ? any one character",
			"--project 'ostoy-*'")
	}
	if purpose == ForClass && like(project, render.ControllerNamespace) {
		return problem.Input(fmt.Sprintf("--project %q matches %s, the namespace of the ACK S3 controller", project, render.ControllerNamespace),
			"a learner could create a role with the tags of the controller's role",
			"--project NAME for each project of the learner, or a longer pattern, such as --project 'ostoy-*'")
	}
	return nil
}

// checkTagKey accepts a key of IAM's that is not one of this tool's.
func checkTagKey(key string) error {
	why := badTag(key, "")
	if strings.HasPrefix(strings.ToLower(key), "ostoy-s3/") {
		why = "keys that begin with ostoy-s3/ are reserved"
	}
	if why == "" {
		return nil
	}
	return problem.Input(fmt.Sprintf("invalid tag key %q", key), why, "--tag-key team")
}

// tagLimits are the statements that deny tags.
func (p people) tagLimits(roles Strings) []Statement {
	return append([]Statement{p.neverOtherTags(roles)}, p.neverOtherValues()...)
}

// neverTheController holds against other policies of the person, too.
func (p people) neverTheController() Statement {
	return deny("NeverTheController", Strings{
		"iam:AttachRole*", "iam:CreateRole", "iam:De*Role*", "iam:P*Role*", "iam:TagRole", "iam:UntagRole", "iam:Update*",
	}, p.controllers())
}

// keepsBoundary denies, also against other policies, removing the boundary of these
// roles and changing the boundary itself.
func (p people) keepsBoundary(roles Strings) []Statement {
	never := deny("NeverWithoutBoundary", Strings{"iam:DeleteRolePermissionsBoundary"}, sorted(roles))
	if arn, err := render.ParseARN(p.o.Boundary); err == nil && arn.Account == p.account {
		never.Action = append(never.Action, "iam:CreatePolicyVersion", "iam:DeletePolicy*", "iam:SetDefaultPolicyVersion")
		never.Resource = sorted(append(never.Resource, p.o.Boundary))
	}
	return []Statement{never}
}

// neverOtherTags denies tags beside those that install sets and those of TagKeys:
// another tag of a role may give it permissions elsewhere in the account. The tag for a
// managed policy, which check then accepts, is not for a class.
func (p people) neverOtherTags(roles Strings) Statement {
	known := append(Strings{render.TagManagedBy, render.TagBucket, render.TagClusterID, render.TagIssuer, render.TagNamespace}, p.o.TagKeys...)
	if p.o.For != ForClass {
		known = append(known, render.TagPolicy)
	}
	return deny("NeverOtherTags", Strings{"iam:CreateRole", "iam:TagRole"}, roles,
		Condition{"ForAnyValue:StringNotEquals": {"aws:TagKeys": sorted(known)}})
}

// neverOtherValues deny values that are not legal for the tags that decide something:
// uninstall deletes the data of the bucket that a role names, and check accepts the
// managed policy that it names.
func (p people) neverOtherValues() []Statement {
	buckets := Strings{cmp.Or(p.o.BucketPattern, AnyProjectPattern)}
	if p.o.For == ForClass {
		buckets = nil
		for _, project := range p.o.Projects {
			buckets = append(buckets, render.BucketName(project))
		}
	}
	never := func(sid, key string, legal Strings) Statement {
		// ForAnyValue does not hold for a request without the tag; StringNotLike would.
		return deny(sid, Strings{"iam:CreateRole", "iam:TagRole"}, Strings{"*"},
			Condition{"ForAnyValue:StringNotLike": {"aws:RequestTag/" + key: sorted(legal)}})
	}
	statements := []Statement{never("NeverOtherBuckets", render.TagBucket, buckets)}
	if p.o.For != ForClass {
		statements = append(statements, never("NeverOtherPolicies", render.TagPolicy,
			Strings{p.policies(p.account), p.policies("aws"), hashPrefix + "*", noPolicy}))
	}
	return statements
}
