package advice

import (
	"regexp"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// RoleARN is the ARN of an IAM role.
func RoleARN(text string) Value {
	return valueOf(text, isARN(text, "role"), "ROLE_ARN", "the ARN of an IAM role")
}

// PolicyARN is the ARN of a managed policy of IAM.
func PolicyARN(text string) Value {
	return valueOf(text, isARN(text, "policy"), "POLICY_ARN", "the ARN of an IAM policy")
}

// RoleName is the name of an IAM role without its path. It can begin with a hyphen: a
// command has it by Flag, which no option parser reads as an option.
func RoleName(text string) Value {
	return valueOf(text, len(text) <= maxRoleName && entityName.MatchString(text), "ROLE", "the name of an IAM role")
}

// RolePath is the path of an IAM role ("/", or words between slashes). IAM allows every
// printable ASCII character in it. Those that quote, and those with a meaning in a shell
// outside of quotation marks, are not repeated: an ARN stands in sentences, too.
func RolePath(text string) Value {
	return valueOf(text, len(text) <= maxPath && entityPath.MatchString(text), "PATH", "the path of an IAM role")
}

// isARN reports whether text is the ARN of a role or a policy whose path and name can be
// repeated.
func isARN(text, kind string) bool {
	arn, err := render.ParseARNOf(text, "iam", kind)
	return err == nil && RolePath(arn.Path()).Legal() && entityName.MatchString(arn.Name())
}

// Flag is a flag with its value, as words of a command: as one word if the value begins
// with a hyphen, which the AWS CLI and others read as the next option.
func Flag(flag, value string) []string {
	if strings.HasPrefix(value, "-") {
		return []string{flag + "=" + value}
	}
	return []string{flag, value}
}

// RoleFlags are the flags that name a role to install and its like, as words of a
// command. A name or path that is "" has none, and neither have the usual names and the
// usual path, which the command finds without flags. If no usual names are given, every
// name and path has one.
//
// It is here because this is the lowest package that all who print such a command import:
// plugin, plugin/check, plugin/iam.
func RoleFlags(name, path string, usual ...string) []string {
	var words []string
	if name != "" && !slices.Contains(usual, name) {
		words = Flag("--role-name", name)
	}
	if path != "" && (len(usual) == 0 || path != render.RolePath) {
		words = slices.Concat(words, Flag("--role-path", path))
	}
	return words
}

// ManagedByOthers is said after a command that installs again. The inventory gives no flag,
// but without --iam=skip install changes a role that another tool manages.
const ManagedByOthers = "if another tool manages the role, as the inventory says, add --iam=skip"

// IAM API Reference, CreateRole, and IAM User Guide, "IAM and AWS STS quotas". The name of
// a policy has up to 128 characters.
const (
	maxRoleName = 64
	maxPath     = 512
)

var (
	entityName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,128}$`)
	entityPath = regexp.MustCompile(`^/([A-Za-z0-9_+=,.@:!#%^~-]+/)*$`)
)
