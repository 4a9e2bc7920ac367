// Package advice has the commands that several packages suggest in the same
// situation, each quoted for a POSIX shell. It runs nothing.
package advice

import (
	"cmp"
	"encoding/json"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/secret"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// NewController is the command that installs the ACK S3 controller in a cluster that
// has none. Its role is new, and a new role needs a pattern: pattern, or
// render.OwnBucketPattern if that is "".
func NewController(pattern string) string {
	return Command("oc ostoy-s3 controller install", "--bucket-pattern", cmp.Or(pattern, render.OwnBucketPattern))
}

// ControllerIn are the words that name the namespace of a controller in a command of it;
// none for the usual one.
func ControllerIn(namespace string) []string {
	if namespace == "" || namespace == render.ControllerNamespace {
		return nil
	}
	return []string{"-n", Project(namespace).Word()}
}

// ControllerFor says what a cluster admin types where there is no controller: alone,
// or together with the app. The pattern matches the bucket of the project.
func ControllerFor(namespace string) string {
	pattern := render.PatternFor(namespace)
	return "a cluster admin installs it: " + NewController(pattern) +
		"\nor together with the app: install with " + Words("--with-controller", "--bucket-pattern", pattern)
}

// TightenRole is the command that makes a role that was there before install
// least-privilege.
func TightenRole(namespace string) string {
	return Command("oc ostoy-s3 install", "-n", namespace, "--adopt", "--tighten-role")
}

// Withheld stands in a command for a word that cannot be shown: see Command.
const Withheld = "NAME"

// Command is a command to copy into a POSIX shell: the words of fixed, which the code
// spells, and words, each quoted where it needs it. It is the only way to make a command
// of values: a value that a cluster, a registry or AWS sent is then one word, whatever it
// contains. A word with a line break or a character that a terminal does not show as it
// is would be copied differently from how it is read: Withheld takes its place.
func Command(fixed string, words ...string) string {
	all := strings.Fields(fixed)
	for n := range all {
		all[n] = shell.Word(all[n])
	}
	for _, word := range words {
		all = append(all, shell.Word(shown(word)))
	}
	return strings.Join(all, " ")
}

// Words are words of a command, such as a flag and its value, for a sentence: quoted as
// those of Command.
func Words(words ...string) string { return Command("", words...) }

// Pipe is a command that reads what another one writes.
func Pipe(from, to string) string { return from + " | " + to }

// MergePatch is the command that merges patch, which json.Marshal can write, into an
// object. Object names it as `oc patch` takes it: "configmap NAME -n NAMESPACE" in words.
func MergePatch(patch any, object ...string) string {
	text, err := json.Marshal(patch)
	if err != nil { // only types that no caller has
		text = []byte(Withheld)
	}
	return Command("oc patch", append(object, "--type=merge", "-p", string(text))...)
}

func shown(word string) string {
	if strings.ContainsFunc(word, func(r rune) bool { return !plain.Shows(r) }) || secret.Hide(word) != word {
		return Withheld
	}
	return word
}

// From is a command that reads what another one writes as a file: the process
// substitution of bash, ksh and zsh.
func From(command, input string) string { return command + " <(" + input + ")" }

// To is a command whose output goes to a file.
func To(command, file string) string { return command + " > " + shell.Word(shown(file)) }

// BucketPattern is a pattern of names of buckets, as a policy has it.
func BucketPattern(text string) Value {
	return valueOf(text, bucketPattern.MatchString(text), "PATTERN", "a pattern of bucket names")
}

// Version is a version, of this tool for example.
func Version(text string) Value {
	return valueOf(text, version.MatchString(text), "VERSION", "a version")
}

// ClusterID is the ID of a cluster, as OpenShift and ROSA have it.
func ClusterID(text string) Value {
	return valueOf(text, clusterID.MatchString(text), "CLUSTER_ID", "the ID of a cluster")
}

// Project is the name of a project (RFC 1123: a DNS label).
func Project(text string) Value {
	return valueOf(text, !strings.Contains(text, ".") && Host(text).Legal(), "PROJECT", "the name of a project")
}

// OneOf is one of the words that are known for a kind of value, such as "an origin".
func OneOf(text, kind string, known ...string) Value {
	return valueOf(text, slices.Contains(known, text), "VALUE", kind)
}

// Address is where a browser finds the app: http or https, a host that is a DNS name or
// an IP address, perhaps a port. The Route or Ingress it is made of is written in the
// project.
func Address(text string) Value {
	return valueOf(text, isAddress(text), "URL", "the address of a page")
}

func isAddress(text string) bool {
	_, rest, found := strings.Cut(text, "://")
	parsed, err := url.Parse(text)
	if !found || err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || rest != parsed.Host {
		return false
	}
	if port := parsed.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	} else if strings.HasSuffix(parsed.Host, ":") {
		return false
	}
	host := parsed.Hostname()
	return Host(host).Legal() || net.ParseIP(host) != nil
}

var (
	bucketPattern = regexp.MustCompile(`^[a-z0-9.*?-]{1,63}$`)
	version       = regexp.MustCompile(`^(\(devel\)|v?[0-9A-Za-z][0-9A-Za-z.+_-]{0,127})$`)
	clusterID     = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z-]{0,63}$`)
)

// Value is what a cluster, a registry or AWS sent where a value of one kind is expected.
// It is repeated only if it is legal for its kind.
type Value struct {
	text string // "" if it is not legal
	word string // stands in a command for one that is not legal: "REGION"
	kind string // "a region of AWS"
}

// Legal reports whether the value is what it claims to be.
func (v Value) Legal() bool { return v.text != "" }

// Word is the value as a word of a command, or a placeholder such as REGION.
func (v Value) Word() string { return cmp.Or(v.text, v.word) }

// String is the value in a sentence, or what it is not.
func (v Value) String() string { return cmp.Or(v.text, "(a value that is not "+v.kind+")") }

func valueOf(text string, legal bool, word, kind string) Value {
	if !legal {
		text = ""
	}
	return Value{text, word, kind}
}

// Region is a region of one of AWS's partitions.
func Region(text string) Value {
	return valueOf(text, render.PartitionOf(text) != "", "REGION", "a region of AWS")
}

// Account is the twelve digits of an AWS account.
func Account(text string) Value {
	return valueOf(text, account.MatchString(text), "ACCOUNT", "an AWS account ID")
}

// BucketName is the name of an S3 bucket (S3: 3 to 63 lower case letters, digits, dots
// and hyphens).
func BucketName(text string) Value {
	return valueOf(text, bucketName.MatchString(text), "BUCKET", "the name of an S3 bucket")
}

// Host is a DNS name (RFC 1123), in lower case.
func Host(text string) Value {
	return valueOf(text, len(text) <= maxHost && hostName.MatchString(text), "HOST", "a host name")
}

// Issuer is the URL of an OpenID Connect issuer.
func Issuer(text string) Value {
	_, err := render.NormalizeIssuer(text)
	return valueOf(text, err == nil && strings.HasPrefix(text, "https://"), "ISSUER", "the URL of an issuer")
}

const maxHost = 253 // characters, RFC 1035

var (
	account    = regexp.MustCompile(`^[0-9]{12}$`)
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	hostName   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)
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

// Role is the role of an ARN that a project names, in its inventory or on its service
// account, and whether its name and path can be repeated.
func Role(text string) (arn render.ARN, legal bool) {
	arn, err := render.ParseARNOf(text, "iam", "role")
	return arn, err == nil && RoleARN(text).Legal() && RoleName(arn.Name()).Legal()
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
// plugin, plugin/check, plugin/aws/iam.
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
