package iam

import (
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
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
}

// Covers reports whether the role can configure a bucket, as far as is known.
func (r Reach) Covers(bucket string) bool {
	return r.Any || slices.ContainsFunc(r.Patterns, func(p string) bool { return like(p, bucket) })
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
	return "every bucket named " + strings.Join(r.Patterns, " or ") + " in account " + account
}

// Both is the reach of two together.
func (r Reach) Both(other Reach) Reach {
	if other.Any && !r.Any {
		r.Any, r.By = true, other.By
	}
	r.Patterns = sorted(append(slices.Clone(r.Patterns), other.Patterns...))
	if r.Unknown == "" {
		r.Unknown = other.Unknown
	}
	return r
}

// configures are actions by which a bucket, or who reads its objects, can be changed.
func configures() []string {
	return []string{
		"s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketPublicAccessBlock",
		"s3:PutBucketOwnershipControls", "s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration",
		"s3:PutEncryptionConfiguration", "s3:PutBucketTagging", "s3:PutBucketWebsite", "s3:PutBucketCORS", "s3:DeleteBucket",
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
		if s.Effect != "Allow" || !s.configures() || s.Condition.met(account) == No {
			continue
		}
		for _, resource := range s.Resource {
			if pattern, is := bucketPattern(resource); is {
				r.Patterns = append(r.Patterns, pattern)
			}
		}
	}
	r.Patterns = sorted(r.Patterns)
	// No name of a bucket is shorter than three characters.
	if slices.ContainsFunc(r.Patterns, func(p string) bool { return CoversPattern(p, "???*") }) {
		return Reach{Any: true, By: awserr.Redact(name)}
	}
	return r
}

func (s Statement) configures() bool {
	return slices.ContainsFunc(s.Action, func(a string) bool {
		return slices.ContainsFunc(configures(), func(c string) bool { return like(strings.ToLower(a), strings.ToLower(c)) })
	})
}

// bucketPattern is the pattern of buckets' names in a resource of a policy; false
// where it matches no bucket. The wildcard may stand for a part of the ARN, too, as in
// "*" or arn:aws:s3:*-bucket.
func bucketPattern(resource string) (string, bool) {
	before, name, found := strings.Cut(resource, ":::")
	for _, partition := range render.Partitions() {
		arn := render.BucketARN(partition, "")
		if found && like(before+":::", arn) {
			return name, !strings.Contains(name, "/")
		}
		if at := strings.IndexAny(resource, "*?"); !found && at >= 0 && strings.HasPrefix(arn, resource[:at]) {
			return "*" + resource[at+1:], !strings.Contains(resource[at:], "/")
		}
	}
	return "", false
}

// PolicyPattern is the one pattern that the policy of a controller's role is for, by
// the text that IAM gives; "" where it has none, or several.
func PolicyPattern(text, account string) string {
	if text == "" {
		return ""
	}
	r := reachOfText(PolicyName, text, account)
	switch {
	case r.Any:
		return "*"
	case len(r.Patterns) == 1 && checkBucketPattern(r.Patterns[0]) == nil:
		return r.Patterns[0]
	}
	return ""
}
