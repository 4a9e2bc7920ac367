package iam

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// RoleOptions is what a user may say about the role; the zero value is the
// usual case.
type RoleOptions struct {
	Name      string            // default render.RoleName
	Path      string            // default render.RolePath; begins and ends with a slash
	Boundary  string            // ARN of the permissions boundary, or ""
	Tags      map[string]string // the user's own tags
	PolicyARN string            // managed policy to attach instead of the inline one, or ""
	Adopt     bool              // take over a role that is not ours
	// Tighten takes one over that lets nobody in but the app, and detaches the
	// policy that the ROSA tutorial gives its role.
	Tighten bool
}

// Limits of "IAM and AWS STS quotas" in the IAM User Guide.
const (
	maxRoleName = 64
	maxPath     = 512
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
	// maxTrust is the default quota of "Role trust policy length".
	maxTrust = 2048
)

func (o RoleOptions) name(f render.Facts) string {
	return cmp.Or(o.Name, render.RoleName(f.Issuer.Value, f.Namespace.Value))
}

func (o RoleOptions) path() string { return cmp.Or(o.Path, render.RolePath) }

// ARN is the role's ARN, known before AWS is asked anything: the manifests
// carry it.
func ARN(f render.Facts, o RoleOptions) string {
	return render.RoleARN(f.Partition.Value, f.Account.Value, o.path(), o.name(f))
}

// validate checks what can be checked without AWS. Every error is a
// *problem.Error.
func (o RoleOptions) validate(f render.Facts) error {
	return cmp.Or(
		checkFacts(f),
		checkName(o.name(f)),
		checkPath(o.path()),
		checkPolicyARN("--permissions-boundary", o.Boundary, f),
		checkPolicyARN("--policy-arn", o.PolicyARN, f),
		checkTags(o.Tags, render.OwnershipTags(f)),
	)
}

// checkFacts names the first fact the role cannot do without.
func checkFacts(f render.Facts) error {
	for _, need := range []struct {
		fact       render.Fact
		name, flag string
	}{
		{f.Namespace, "namespace", "-n NAMESPACE"},
		{f.Issuer, "service account issuer", "--oidc-issuer URL"},
		{f.Audience, "token audience", "--audience AUDIENCE"},
		{f.Account, "AWS account", "--account-id ID"},
		{f.Partition, "AWS partition", "--partition PARTITION"},
	} {
		if !need.fact.Known() {
			return problem.Input("the "+need.name+" is not known", "the role cannot be described without it", need.flag)
		}
	}
	return nil
}

// checkName applies the pattern of IAM's CreateRole, RoleName.
func checkName(name string) error {
	if regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,` + strconv.Itoa(maxRoleName) + `}$`).MatchString(name) {
		return nil
	}
	return problem.Input(fmt.Sprintf("role name %q", name),
		fmt.Sprintf("IAM takes 1 to %d letters, digits and +=,.@_- ; this has %d characters", maxRoleName, utf8.RuneCountInString(name)),
		"--role-name NAME")
}

// checkPath applies the pattern of IAM's CreateRole, Path, without control
// characters and blanks.
func checkPath(path string) error {
	if len(path) <= maxPath && regexp.MustCompile(`^/([!-.0-~]+/)*$`).MatchString(path) {
		return nil
	}
	return problem.Input(fmt.Sprintf("role path %q", path),
		fmt.Sprintf("IAM wants it to begin and end with a slash, to have no blanks and no empty part, and to have at most %d characters", maxPath),
		shell.Words("--role-path", "/"+strings.Trim(regexp.MustCompile(`[^!-~]+`).ReplaceAllString(path, ""), "/")+"/"))
}

// checkPolicyARN wants the ARN of a managed policy: AWS's own, or one of this
// account; IAM attaches no other.
func checkPolicyARN(flag, arn string, f render.Facts) error {
	if arn == "" {
		return nil
	}
	bad := func(why, next string) error {
		return problem.Input(fmt.Sprintf("%s %q", flag, arn), why, next)
	}
	part, err := render.ParseARN(arn)
	p, acct := f.Partition.Value, f.Account.Value
	like := flag + " arn:" + p + ":iam::" + acct + ":policy/NAME"
	switch {
	case err != nil:
		return bad("this is no ARN", like)
	case part.Service != "iam" || part.Region != "":
		return bad(fmt.Sprintf("an ARN of an IAM policy is needed, this one is of %q", part.Service), like)
	case !regexp.MustCompile(`^policy/([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,128}$`).MatchString(part.Resource):
		return bad("an ARN of an IAM policy ends in policy/NAME", like)
	case part.Partition != p:
		return bad("the account is in the partition "+p+", the policy is not", flag+" arn:"+p+":iam::"+part.Account+":"+part.Resource)
	case part.Account != "aws" && part.Account != acct:
		return bad("the policy is of another account than "+acct, like)
	}
	return nil
}

// checkTags applies "Rules for tagging in IAM" to the user's tags and to ours
// together. IAM takes keys that differ in case only for the same key.
func checkTags(user, ours map[string]string) error {
	reserved := []string{render.TagManagedBy, render.TagIssuer, render.TagNamespace, render.TagClusterID, render.TagBucket, render.TagPolicy}
	for _, key := range reserved {
		if value, ok := ours[key]; ok {
			if why := badTag(key, value); why != "" {
				return problem.Input(fmt.Sprintf("tag %s=%q", key, value), why, "the issuer and the cluster id must fit a tag; check --oidc-issuer and --cluster-id")
			}
		}
	}
	seen := map[string]string{}
	for _, key := range keysOf(user) {
		why := badTag(key, user[key])
		if slices.ContainsFunc(reserved, func(r string) bool { return strings.EqualFold(key, r) }) {
			why = "this key is how the role is recognised as ours"
		}
		if other, twice := seen[strings.ToLower(key)]; twice {
			why = fmt.Sprintf("IAM takes it for the same key as %q", other)
		}
		seen[strings.ToLower(key)] = key
		if why != "" {
			return problem.Input(fmt.Sprintf("tag %q", key+"="+user[key]), why, "--tags KEY=VALUE")
		}
	}
	// The cluster id counts even while it is unknown: another run may know it.
	if n := len(user) + len(reserved); n > maxTags {
		return problem.Input(fmt.Sprintf("%d tags", len(user)),
			fmt.Sprintf("a role has at most %d, %d of them ours", maxTags, len(reserved)),
			"fewer --tags")
	}
	return nil
}

// badTag says what is wrong with a tag, or "".
func badTag(key, value string) string {
	charset := regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	switch {
	case key == "":
		return "the key is empty"
	case utf8.RuneCountInString(key) > maxTagKey:
		return fmt.Sprintf("the key has more than %d characters", maxTagKey)
	case utf8.RuneCountInString(value) > maxTagValue:
		return fmt.Sprintf("the value has more than %d characters", maxTagValue)
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return "keys that begin with aws: belong to AWS"
	case !charset.MatchString(key), !charset.MatchString(value):
		return "IAM takes letters, digits, blanks and _.:/=+-@ only"
	}
	return ""
}
