package iam

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// What was asked for of a role is kept in tags of the role. The inventory in the project,
// and tags of the S3 bucket, which the controller sets from the Bucket resource, can be
// written by everybody who may edit the project: they prove nothing.

// policyTag is the value of render.TagPolicy for a managed policy: its ARN, or a hash
// where the value of a tag cannot hold it ("Rules for tagging in IAM" in the IAM User
// Guide: at most 256 characters, and no comma or exclamation mark).
func policyTag(arn string) string {
	if badTag(render.TagPolicy, arn) == "" {
		return arn
	}
	sum := sha256.Sum256([]byte(arn))
	return hashPrefix + hex.EncodeToString(sum[:])
}

const hashPrefix = "sha256:"

// askedTags are the tags of a role that keep what was asked for.
func askedTags(bucket, policyARN string) map[string]string {
	tags := map[string]string{render.TagBucket: bucket}
	if policyARN != "" {
		tags[render.TagPolicy] = policyTag(policyARN)
	}
	return tags
}

// AskedPolicy is the attached managed policy that the role's tag names: the one that
// install was asked for by --policy-arn. "" without one. The tag alone is not enough: a
// policy that is no longer attached is no longer wanted.
func (a *Actual) AskedPolicy() string {
	if a == nil || !a.namesPolicy() {
		return ""
	}
	for _, arn := range a.Attached {
		if policyTag(arn) == a.Tags[render.TagPolicy] {
			return arn
		}
	}
	return ""
}

// noPolicy is the value of render.TagPolicy where a policy that was asked for once is no
// longer wanted: removing a tag takes a permission that install does not need otherwise.
const noPolicy = "none"

// namesPolicy reports whether the role has a tag that names a managed policy, attached
// or not.
func (a *Actual) namesPolicy() bool {
	return a.Tags[render.TagPolicy] != "" && a.Tags[render.TagPolicy] != noPolicy
}

// Proof is what a role says about an S3 bucket.
type Proof struct {
	// Proven says that the role, which is of this issuer and namespace, names the bucket.
	Proven bool
	// Why is the reason where it does not, a clause.
	Why string
	// Role is the name of the role that proves it, and Created when that was created.
	Role    string
	Created time.Time
}

// Proves reports whether the role named name proves that the bucket is the one of the
// project of the facts: by its tag, or, if it was created before there was that tag, by
// the inline policy that install gave it, which is for exactly this bucket.
func (a *Actual) Proves(name, bucket string, f render.Facts) Proof {
	refuse := func(why string) Proof { return Proof{Why: "the role " + advice.RoleName(name).String() + " " + why} }
	proven := Proof{Proven: true, Role: name, Created: a.Created}
	tag, tagged := a.Tags[render.TagBucket]
	switch {
	case !a.Exists:
		return refuse("does not exist")
	case !f.Issuer.Known():
		return refuse("may be of another cluster: the issuer of this one is not known")
	case !App.Owns(name, a, f):
		return refuse("is not of this project: " + App.whoseIs(name, a, f))
	case tagged && tag == bucket:
		return proven
	case tagged:
		return refuse("has the tag " + render.TagBucket + "=" + advice.BucketName(tag).String())
	case a.InlineErr != nil:
		return refuse("has no tag " + render.TagBucket + ", and its policy " + PolicyName + " cannot be read without iam:GetRolePolicy")
	case onlyFor(a.Inline, render.BucketARN(f.Partition.Value, bucket)):
		return proven
	}
	return refuse("has neither the tag " + render.TagBucket + " nor a policy " + PolicyName + " for this bucket alone")
}

// onlyFor reports whether a policy, as IAM gives it, allows something on the bucket or
// its objects, and nothing on anything else.
func onlyFor(text, arn string) bool {
	document, err := ParseDocument(text)
	if text == "" || err != nil {
		return false
	}
	var named []string
	for _, s := range document.Statement {
		if s.Effect == "Allow" {
			named = append(named, s.Resource...)
		}
	}
	other := func(resource string) bool { return resource != arn && resource != arn+"/*" }
	return slices.Contains(named, arn) && !slices.ContainsFunc(named, other)
}

// Allowed says what a policy allows, in a few words: "s3:*, iam:PassRole on *".
func Allowed(d Document) string {
	const most = 4
	var actions, resources []string
	for _, s := range d.Statement {
		if s.Effect == "Allow" {
			actions, resources = append(actions, s.Action...), append(resources, s.Resource...)
		}
	}
	return awserr.Redact(some(sorted(actions), most) + " on " + some(sorted(resources), most))
}

func some(all []string, most int) string {
	all = slices.Compact(all)
	if len(all) > most {
		return strings.Join(all[:most], ", ") + " and more"
	}
	return strings.Join(all, ", ")
}

// OnlyS3 reports whether a policy allows actions of S3 alone.
func OnlyS3(d Document) bool {
	return !slices.ContainsFunc(d.Statement, func(s Statement) bool {
		return s.Effect == "Allow" && slices.ContainsFunc(s.Action, func(action string) bool {
			service, _, _ := strings.Cut(strings.ToLower(action), ":")
			return service != "s3" && service != "s3-object-lambda"
		})
	})
}
