package iam

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// The bucket patterns that are usually wanted. No role gets one unless it was asked
// for: the controller's role can change every bucket that the pattern matches.
const (
	// OwnBucketPattern matches the buckets of the projects that install
	// --new-project names itself.
	OwnBucketPattern = render.OwnBucketPattern
	// AnyProjectPattern matches every bucket that OSToy can ask for, of a project of
	// any name: its rule is <namespace>-bucket. It also matches buckets that have
	// nothing to do with it.
	AnyProjectPattern = "*-bucket"
)

// ControllerOptions is what a user may say about the role of the ACK S3 controller.
type ControllerOptions struct {
	RoleOptions
	// BucketPattern is which buckets it may manage: a bucket name in which * is any
	// text and ? any one character. It is needed unless PolicyARN takes its place.
	BucketPattern string
}

// DesiredController says what the role of the ACK S3 controller should be. The
// facts' namespace is the controller's. It asks nobody. What cannot be is a
// *problem.Error.
func DesiredController(f render.Facts, o ControllerOptions) (Role, error) {
	if o.BucketPattern == "" && o.PolicyARN == "" {
		return Role{}, NoBucketPattern(false)
	}
	pattern := cmp.Or(o.BucketPattern, "*") // of a managed policy it is not known
	if err := CheckBucketPattern(pattern); err != nil {
		return Role{}, err
	}
	return describe(f, controllerNamed(f, o.RoleOptions), purpose{
		account:     render.ControllerAccount,
		bucket:      pattern,
		description: "The ACK S3 controller in namespace " + f.Namespace.Value + " creates, configures and deletes " + bucketsNamed(pattern),
		policy:      controllerPolicy(pattern, f.Partition.Value, f.Account.Value),
	})
}

// WiderPattern is the narrowest of the usual patterns that covers a bucket and all that
// a role covers so far: a role has one pattern, and a new one replaces it. "" if none does.
func WiderPattern(soFar []string, bucket string) string {
	for _, pattern := range []string{bucket, OwnBucketPattern, AnyProjectPattern} {
		lacks := func(p string) bool { return !CoversPattern(pattern, p) }
		if MatchPattern(pattern, bucket) && !slices.ContainsFunc(soFar, lacks) {
			return pattern
		}
	}
	return ""
}

// NoBucketPattern is the error for a role without a bucket pattern: a new one, or one
// that exists and whose policy does not name one pattern.
func NoBucketPattern(exists bool) error {
	what := "a new role of the ACK S3 controller needs --bucket-pattern"
	if exists {
		what = "the role of the ACK S3 controller needs --bucket-pattern: its policy " + PolicyName + " does not name one pattern"
	}
	return problem.Input(what,
		"the controller can change the policy of every bucket that the pattern matches, and with it who reads its objects; no pattern is chosen without you",
		shell.Words("--bucket-pattern", OwnBucketPattern)+" for the projects that install --new-project names\n"+
			shell.Words("--bucket-pattern", AnyProjectPattern)+" for projects of any name")
}

// ControllerRoleARN is the ARN of the role, which does not depend on what it may do.
// What cannot be is a *problem.Error.
func ControllerRoleARN(f render.Facts, o ControllerOptions) (string, error) {
	if o.BucketPattern == "" && o.PolicyARN == "" {
		o.BucketPattern = OwnBucketPattern
	}
	role, err := DesiredController(f, o)
	return role.ARN, err
}

// Keeping are the options with what a role of the controller that exists keeps: its
// path, which cannot be changed, and unless you asked for another its pattern or its
// managed policy. recorded is what the inventory has of these two, a hint: its pattern
// counts only if it takes something away from that of the inline policy, which somebody
// may have widened, and its managed policy only if that is attached.
func (o ControllerOptions) Keeping(actual *Actual, recorded ControllerOptions, f render.Facts) ControllerOptions {
	named := controllerNamed(f, o.RoleOptions)
	if !Controller.Owns(named.Name, actual, f) {
		return o
	}
	o.Path = cmp.Or(o.Path, actual.Path)
	if o.BucketPattern != "" || o.PolicyARN != "" {
		return o
	}
	o.BucketPattern = PolicyPattern(actual.Inline, f.Account.Value)
	if o.BucketPattern != "" && recorded.BucketPattern != "" && CoversPattern(o.BucketPattern, recorded.BucketPattern) {
		o.BucketPattern = recorded.BucketPattern
	}
	if o.BucketPattern == "" && recorded.PolicyARN != "" && slices.Contains(actual.Attached, recorded.PolicyARN) {
		o.PolicyARN = recorded.PolicyARN
	}
	return o
}

// PatternDrift says in a sentence what the inline policy of a controller's role, as IAM
// gives it, has instead of the bucket pattern on record; "" if it has that one, or if
// none is on record.
func PatternDrift(inline, recorded, account string) string {
	actual := PolicyPattern(inline, account)
	has := "has the bucket pattern " + actual
	switch {
	case recorded == "" || recorded == actual:
		return ""
	case inline == "":
		has = "does not exist"
	case actual == "":
		has = "does not have one bucket pattern"
	}
	return "the policy " + PolicyName + " of the controller's role " + has + "; the recorded bucket pattern is " + recorded
}

// controllerNamed gives the role the name and the path that the controller's has.
func controllerNamed(f render.Facts, o RoleOptions) RoleOptions {
	o.Name = cmp.Or(o.Name, render.ControllerRoleName(f.Issuer.Value))
	o.Path = cmp.Or(o.Path, render.ControllerRolePath)
	return o
}

// CheckBucketPattern accepts what a bucket name may be made of ("General purpose
// bucket naming rules" of the S3 User Guide) and IAM's two wildcards. A star alone
// is every bucket.
func CheckBucketPattern(pattern string) error {
	if pattern == "*" || regexp.MustCompile(`^[a-z0-9.*?-]{3,63}$`).MatchString(pattern) {
		return nil
	}
	return problem.Input(fmt.Sprintf("invalid bucket pattern %q", pattern),
		"a bucket name has 3 to 63 of a-z, 0-9, dot and hyphen; a pattern may have * and ? in it, too",
		shell.Words("--bucket-pattern", OwnBucketPattern)+", "+shell.Word(AnyProjectPattern)+", or '*' for every bucket of the account")
}

// controllerPolicy allows what the controller calls (pkg/resource/bucket of
// aws-controllers-k8s/s3-controller), which is nothing on objects; but see below. IAM's names of the actions are those of "Actions, resources, and
// condition keys for Amazon S3" in the Service Authorization Reference: a part of
// a bucket's settings is under GetBucket and PutBucket, a part is not. Those two
// have a wildcard because every reconcile reads all settings: a version that
// reads one more would otherwise be stopped by it.
//
// Not in it: s3:ListBucket, because the controller finds buckets by ListBuckets
// and never by HeadBucket; iam:PassRole, without which a Bucket with replication
// is refused, because it would hand roles on; the keys of KMS.
//
// A role that can write a bucket's policy can give access to the bucket's objects, to
// itself, too ("PutBucketPolicy" of the Amazon S3 API Reference). It cannot be taken
// from a controller whose Buckets have policies. The pattern limits it.
func controllerPolicy(pattern, partition, account string) Document {
	buckets := Strings{render.BucketARN(partition, pattern)}
	return Document{Version: policyVersion, Statement: []Statement{
		allow("List", Strings{"s3:ListAllMyBuckets"}, Strings{"*"}),
		allow("Create", Strings{"s3:CreateBucket"}, buckets),
		allow("CreateWith", createdWith(), buckets, inAccountIfExists(account)),
		allow("Manage", managed(), buckets, inAccount(account)),
	}}
}

// createdWith are the actions that a CreateBucket is checked for besides its own,
// by what the request carries: an ACL, object lock, ownership controls, tags
// ("CreateBucket" in the Amazon S3 API Reference; the controller sends tags so
// from 1.11 on, addCreateBucketTags in its hook.go).
func createdWith() Strings {
	return Strings{
		"s3:PutBucketAcl", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketOwnershipControls",
		"s3:PutBucketVersioning", "s3:TagResource",
	}
}

// managed are the actions on a bucket that is there.
func managed() Strings {
	actions := Strings{
		"s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteBucketWebsite", "s3:GetBucket*", "s3:PutBucket*",
		"s3:ListTagsForResource", "s3:TagResource", "s3:UntagResource",
	}
	for _, setting := range []string{
		"Accelerate", "Analytics", "Encryption", "IntelligentTiering", "Inventory", "Lifecycle", "Metrics", "Replication",
	} {
		actions = append(actions, "s3:Get"+setting+"Configuration", "s3:Put"+setting+"Configuration")
	}
	return actions
}

// inAccountIfExists is inAccount for a request that makes the bucket. A key that a
// request does not have meets no StringEquals, and a bucket that is yet to be made
// has no owner: the Service Authorization Reference lists the key for
// s3:CreateBucket, but no document says what it then holds, and "AWS global
// condition context keys" does not promise it for every request. So ...IfExists,
// as AWS's data perimeter examples have it, which still keeps out a bucket that
// has another owner.
//
// s3:CreateBucket itself goes without: a bucket is made in the account of who
// makes it and in no other, and a name that another account has must be answered
// with BucketAlreadyExists, by which it is explained, and not with AccessDenied.
func inAccountIfExists(account string) Condition {
	return Condition{"StringEqualsIfExists": {"aws:ResourceAccount": {account}}}
}

// bucketsNamed is a pattern in words.
func bucketsNamed(pattern string) string {
	if pattern == "*" {
		return "all buckets"
	}
	return "buckets named " + pattern
}

// controllerAllows is controllerPolicy in words.
func controllerAllows(pattern string) string {
	return "to create, configure and delete " + bucketsNamed(pattern) + " in this account, and to list all; through a bucket's policy also to give access to its objects, including the role itself"
}
