package iam

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/shell"
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
	if o.Name != "" {
		return o.Name
	}
	return render.RoleName(f.Issuer.Value, f.Namespace.Value)
}

func (o RoleOptions) path() string {
	if o.Path != "" {
		return o.Path
	}
	return render.RolePath
}

// ARN is the role's ARN, known before AWS is asked anything: the manifests
// carry it.
func ARN(f render.Facts, o RoleOptions) string {
	return render.RoleARN(f.Partition.Value, f.Account.Value, o.path(), o.name(f))
}

// validate checks what can be checked without AWS. Every error is a
// *render.InputError.
func (o RoleOptions) validate(f render.Facts) error {
	if err := checkFacts(f); err != nil {
		return err
	}
	if err := checkName(o.name(f)); err != nil {
		return err
	}
	if err := checkPath(o.path()); err != nil {
		return err
	}
	if err := checkPolicyARN("--permissions-boundary", o.Boundary, f); err != nil {
		return err
	}
	if err := checkPolicyARN("--policy-arn", o.PolicyARN, f); err != nil {
		return err
	}
	return checkTags(o.Tags, render.OwnershipTags(f))
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
			return &render.InputError{
				What: "the " + need.name + " is not known",
				Why:  "the role cannot be described without it",
				Next: need.flag,
			}
		}
	}
	return nil
}

// checkName applies the pattern of IAM's CreateRole, RoleName.
func checkName(name string) error {
	if regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,` + strconv.Itoa(maxRoleName) + `}$`).MatchString(name) {
		return nil
	}
	return &render.InputError{
		What: fmt.Sprintf("role name %q", name),
		Why:  fmt.Sprintf("IAM takes 1 to %d letters, digits and +=,.@_- ; this has %d characters", maxRoleName, utf8.RuneCountInString(name)),
		Next: "--role-name NAME",
	}
}

// checkPath applies the pattern of IAM's CreateRole, Path, without control
// characters and blanks.
func checkPath(path string) error {
	if len(path) <= maxPath && regexp.MustCompile(`^/([!-.0-~]+/)*$`).MatchString(path) {
		return nil
	}
	return &render.InputError{
		What: fmt.Sprintf("role path %q", path),
		Why:  fmt.Sprintf("IAM wants it to begin and end with a slash, to have no blanks and no empty part, and to have at most %d characters", maxPath),
		Next: shell.Words("--role-path", "/"+strings.Trim(regexp.MustCompile(`[^!-~]+`).ReplaceAllString(path, ""), "/")+"/"),
	}
}

// checkPolicyARN wants the ARN of a managed policy: AWS's own, or one of this
// account; IAM attaches no other.
func checkPolicyARN(flag, arn string, f render.Facts) error {
	if arn == "" {
		return nil
	}
	bad := func(why, next string) error {
		return &render.InputError{What: fmt.Sprintf("%s %q", flag, arn), Why: why, Next: next}
	}
	part := strings.SplitN(arn, ":", 6)
	p, acct := f.Partition.Value, f.Account.Value
	like := flag + " arn:" + p + ":iam::" + acct + ":policy/NAME"
	switch {
	case len(part) != 6 || part[0] != "arn":
		return bad("this is no ARN", like)
	case part[2] != "iam" || part[3] != "":
		return bad(fmt.Sprintf("an ARN of an IAM policy is needed, this one is of %q", part[2]), like)
	case !regexp.MustCompile(`^policy/([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,128}$`).MatchString(part[5]):
		return bad("an ARN of an IAM policy ends in policy/NAME", like)
	case part[1] != p:
		return bad("the account is in the partition "+p+", the policy is not", flag+" arn:"+p+":iam::"+part[4]+":"+part[5])
	case part[4] != "aws" && part[4] != acct:
		return bad("the policy is of another account than "+acct, like)
	}
	return nil
}
