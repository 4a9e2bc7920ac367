package iam

import (
	"cmp"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Reach is which S3 buckets of its account a role can configure, as far as its
// policies show: who may change a bucket's policy decides who reads its objects.
type Reach struct {
	// Patterns are those of the names of the buckets, sorted.
	Patterns []string
	// Any says that it is every bucket of the account, by the policy By.
	Any bool
	By  string
	// Unknown says why not all of it is known, "" if it is. What is known is then the
	// least that the role can do.
	Unknown string
	// Within are the patterns of a permissions boundary: a bucket has to match one of
	// them, too. Nil sets no limit.
	Within []string
	// Unbounded says why it is not known what a permissions boundary leaves, "" if that
	// is known. What is known is then the most that the role can do.
	Unbounded string
}

// Covers reports whether the role can configure a bucket, as far as is known.
func (r Reach) Covers(bucket string) bool {
	matches := func(p string) bool { return like(p, bucket) }
	return (r.Any || slices.ContainsFunc(r.Patterns, matches)) && (r.Within == nil || slices.ContainsFunc(r.Within, matches))
}

// Text is the reach in words.
func (r Reach) Text(account string) string {
	by := ""
	if r.By != "" {
		by = ", by its policy " + r.By
	}
	switch {
	case r.Any:
		return "every bucket of account " + account + by
	case r.Unknown != "":
		return "not known: " + r.Unknown
	case len(r.Patterns) == 0:
		return "no bucket"
	}
	text := "every bucket named " + strings.Join(r.Patterns, " or ") + " in account " + account
	switch {
	case r.Within == nil:
		return text
	case len(r.Within) == 0:
		return "no bucket: its permissions boundary allows none"
	}
	return text + ", as far as its permissions boundary allows it: " + strings.Join(r.Within, " or ")
}

// Both is the reach of two together. Of two with different boundaries none counts.
func (r Reach) Both(other Reach) Reach {
	if !slices.Equal(r.Within, other.Within) || r.Within == nil || other.Within == nil {
		r.Within = nil
	}
	r.Unbounded = cmp.Or(r.Unbounded, other.Unbounded)
	if other.Any && !r.Any {
		r.Any, r.By = true, other.By
	}
	r.Patterns = sorted(append(slices.Clone(r.Patterns), other.Patterns...))
	r.Unknown = cmp.Or(r.Unknown, other.Unknown)
	return r
}

// configures are actions by which a bucket, or who reads its objects, can be changed.
// Those on objects are not among them: the controller sends none for a Bucket.
func configures() []string {
	return []string{
		"s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketPublicAccessBlock",
		"s3:PutBucketOwnershipControls", "s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration",
		"s3:PutEncryptionConfiguration", "s3:PutBucketTagging", "s3:PutBucketWebsite", "s3:DeleteBucketWebsite",
		"s3:PutBucketCORS", "s3:DeleteBucket", "s3:PutBucketVersioning", "s3:PutBucketLogging", "s3:PutBucketNotification",
		"s3:PutBucketObjectLockConfiguration", "s3:PutBucketRequestPayment", "s3:PutInventoryConfiguration",
		"s3:PutAnalyticsConfiguration", "s3:PutMetricsConfiguration", "s3:PutAccelerateConfiguration",
		"s3:PutIntelligentTieringConfiguration", "s3:TagResource", "s3:UntagResource",
	}
}

// wide are AWS's own policies that give everything on every bucket. PowerUserAccess
// has an element, NotAction, that ParseDocument does not read.
func wide() []string { return []string{"AmazonS3FullAccess", "AdministratorAccess", "PowerUserAccess"} }

// reachOfARN is the reach that a managed policy is known to give by its ARN alone.
func reachOfARN(arn string) (Reach, bool) {
	_, name, found := strings.Cut(arn, ":iam::aws:policy/")
	if !found || !slices.Contains(wide(), name) {
		return Reach{}, false
	}
	return Reach{Any: true, By: name}, true
}

// reachOfText is the reach of one policy, as IAM gives its text.
func reachOfText(name, text, account string) Reach {
	d, err := ParseDocument(text)
	if err != nil {
		return Reach{Unknown: "policy " + awserr.Redact(name) + ": " + awserr.Redact(err.Error())}
	}
	return reachOf(name, d, account)
}

// reachOf is the reach of one policy. Statements that deny do not count: what they
// leave may be as bad.
func reachOf(name string, d Document, account string) Reach {
	r := Reach{}
	for _, s := range d.Statement {
		if s.Effect != "Allow" || s.Condition.met(account) == No {
			continue
		}
		if s.allowsOne("sts:AssumeRole") {
			r.Unknown = "policy " + awserr.Redact(name) + " allows sts:AssumeRole: what the other role can do is not looked at"
		}
		if !s.allowsOne(configures()...) {
			continue
		}
		for _, resource := range s.Resource {
			general, variable := withoutVariables(resource)
			patterns := bucketPatterns(general)
			switch {
			case len(patterns) > 0 && variable:
				r.Unknown = "policy " + awserr.Redact(name) + " has a policy variable in a resource"
			default:
				r.Patterns = append(r.Patterns, patterns...)
			}
		}
	}
	r.Patterns = sorted(r.Patterns)
	if coversAny(r.Patterns) {
		return Reach{Any: true, By: awserr.Redact(name)}
	}
	return r
}

// coversAny reports whether patterns match every name of a bucket: three characters or
// more, of which the first and the last are letters or digits ("General purpose bucket
// naming rules" of the S3 User Guide). Several together may do so by their first or
// their last character.
func coversAny(patterns []string) bool {
	every := func(special func(string) string) bool {
		for _, letter := range "abcdefghijklmnopqrstuvwxyz0123456789" {
			if !slices.ContainsFunc(patterns, func(p string) bool { return CoversPattern(p, special(string(letter))) }) {
				return false
			}
		}
		return true
	}
	return every(func(letter string) string { return letter + "??*" }) || every(func(letter string) string { return "*??" + letter })
}

// allowsOne reports whether a statement names one of some actions.
func (s Statement) allowsOne(actions ...string) bool {
	return slices.ContainsFunc(s.Action, func(a string) bool {
		return slices.ContainsFunc(actions, func(c string) bool { return like(strings.ToLower(a), strings.ToLower(c)) })
	})
}

// bucketPatterns are the patterns of buckets' names in a resource of a policy; none
// where it matches no bucket. A wildcard may stand for a part of the ARN, too, as in
// "*", arn:aws:s3:*-bucket and arn:aws:s3:*:*:*: for each way in which the resource
// begins like the ARN of a bucket, the rest is a pattern of names.
func bucketPatterns(resource string) []string {
	var patterns []string
	for _, partition := range render.Partitions() {
		for _, rest := range restsAfter(resource, render.BucketARN(partition, "")) {
			if rest != "" && !strings.ContainsAny(rest, "/:") {
				patterns = append(patterns, rest)
			}
		}
	}
	return patterns
}

// PolicyReach is the reach of the policy of a controller's role, by the text that IAM
// gives. Patterns has a star alone for every bucket.
func PolicyReach(text, account string) Reach {
	if text == "" {
		return Reach{}
	}
	r := reachOfText(PolicyName, text, account)
	if r.Any {
		r.Patterns = []string{"*"}
	}
	return r
}

// PolicyPattern is the one pattern that the policy of a controller's role is for; ""
// where it has none, or several.
func PolicyPattern(text, account string) string {
	r := PolicyReach(text, account)
	if r.Any || r.Unknown == "" && len(r.Patterns) == 1 && CheckBucketPattern(r.Patterns[0]) == nil {
		return r.Patterns[0]
	}
	return ""
}
