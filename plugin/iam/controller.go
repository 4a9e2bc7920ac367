package iam

import (
	"cmp"
	"fmt"
	"regexp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// DefaultBucketPattern is every bucket that OSToy can ask for: its rule is
// <namespace>-bucket.
const DefaultBucketPattern = "*-bucket"

// ControllerOptions is what a user may say about the role of the ACK S3
// controller; the zero value is the usual case.
type ControllerOptions struct {
	RoleOptions
	// BucketPattern is which buckets it may manage: a bucket name in which * is any
	// text and ? any one character; default DefaultBucketPattern.
	BucketPattern string
}

// DesiredController says what the role of the ACK S3 controller should be. The
// facts' namespace is the controller's. It asks nobody. What cannot be is a
// *render.InputError.
func DesiredController(f render.Facts, o ControllerOptions) (Role, error) {
	pattern := cmp.Or(o.BucketPattern, DefaultBucketPattern)
	if err := checkBucketPattern(pattern); err != nil {
		return Role{}, err
	}
	return describe(f, controllerNamed(f, o.RoleOptions), purpose{
		account:     render.ControllerAccount,
		bucket:      pattern,
		description: "The ACK S3 controller in namespace " + f.Namespace.Value + " makes, configures and deletes " + bucketsNamed(pattern),
		policy:      controllerPolicy(pattern, f.Partition.Value, f.Account.Value),
	})
}

// controllerNamed gives the role the name that the controller's has.
func controllerNamed(f render.Facts, o RoleOptions) RoleOptions {
	o.Name = cmp.Or(o.Name, render.ControllerRoleName(f.Issuer.Value))
	return o
}

// checkBucketPattern takes what a bucket name may be made of ("General purpose
// bucket naming rules" of the S3 User Guide) and IAM's two wildcards. A star alone
// is every bucket.
func checkBucketPattern(pattern string) error {
	if pattern == "*" || regexp.MustCompile(`^[a-z0-9.*?-]{3,63}$`).MatchString(pattern) {
		return nil
	}
	return &render.InputError{
		What: fmt.Sprintf("bucket pattern %q", pattern),
		Why:  "a bucket name has 3 to 63 of a-z, 0-9, dot and hyphen; a pattern may have * and ? in it, too",
		Next: "--bucket-pattern '" + DefaultBucketPattern + "', or '*' for every bucket of the account",
	}
}

// controllerPolicy allows what the controller calls (FACTS 1.5), and nothing on
// objects. IAM's names of the actions are those of "Actions, resources, and
// condition keys for Amazon S3" in the Service Authorization Reference: a part of
// a bucket's settings is under GetBucket and PutBucket, a part is not. Those two
// have a wildcard because every reconcile reads all settings: a version that
// reads one more would otherwise be stopped by it.
//
// Not in it: s3:ListBucket, because the controller finds buckets by ListBuckets
// and never by HeadBucket; iam:PassRole, without which a Bucket with replication
// is refused, because it would hand roles on; the keys of KMS.
//
// Who may write a bucket's policy may give away its objects, to itself, too: that
// cannot be taken from a controller whose Buckets have policies. The pattern says
// where.
func controllerPolicy(pattern, partition, account string) Document {
	buckets := Strings{render.BucketARN(partition, pattern)}
	return Document{Version: policyVersion, Statement: []Statement{
		{Sid: "List", Effect: "Allow", Action: Strings{"s3:ListAllMyBuckets"}, Resource: Strings{"*"}},
		{Sid: "Create", Effect: "Allow", Action: Strings{"s3:CreateBucket"}, Resource: buckets},
		{Sid: "CreateWith", Effect: "Allow", Action: createdWith(), Resource: buckets, Condition: inAccountIfExists(account)},
		{Sid: "Manage", Effect: "Allow", Action: managed(), Resource: buckets, Condition: inAccount(account)},
	}}
}

// createdWith are the actions that a CreateBucket is checked for besides its own,
// by what the request carries: an ACL, object lock, ownership controls, tags
// ("CreateBucket" in the Amazon S3 API Reference; the controller sends tags so
// from 1.11 on, FACTS 1.4).
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
	return "to make, look at, configure and delete " + bucketsNamed(pattern) + " in this account, and to list all; no objects"
}
