package bucket

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	actionList    = "s3:ListBucket"
	actionTags    = "s3:GetBucketTagging"
	actionListAll = "s3:ListAllMyBuckets"
	regionHeader  = "X-Amz-Bucket-Region"
	noTags        = "NoSuchTagSet"
)

// look is one look at one bucket.
type look struct {
	Target // where to ask
	api    API
	facts  render.Facts
}

// Look finds out whose the bucket is: two requests in the usual case, one when
// the name is free. It needs namespace, account, region and issuer of the facts.
// Errors are explained (*problem.Error).
func Look(ctx context.Context, api API, f render.Facts) (State, error) {
	l := look{TargetOf(f), api, f}
	found, err := l.head(ctx)
	if l.elsewhere(found, err) {
		// Only in its own region S3 says whose it is.
		l.Region = found
		_, err = l.head(ctx)
	}
	return l.judge(ctx, err)
}

// head asks for the bucket where it is believed to be, and gives back the region
// S3 names. With the expected owner, a bucket of another account is refused even
// where its policy would let everybody in.
func (l look) head(ctx context.Context) (region string, err error) {
	out, err := l.api.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: l.bucket(), ExpectedBucketOwner: l.owner()}, l.at)
	if err != nil {
		return awserr.Header(err, regionHeader), err
	}
	return aws.ToString(out.BucketRegion), nil
}

// elsewhere reports whether S3 named another region than the one it was asked
// in: with 301 or 307, with 400 for a signature made for the wrong region, and
// in us-east-1 also with 403. A name nobody has is 404 everywhere.
func (l look) elsewhere(region string, err error) bool {
	return region != "" && region != l.Region && awserr.Status(err) != http.StatusNotFound
}

// judge makes a state of the answer to the last head. A refused HEAD has no body, so bad
// credentials (400 or 403), a missing right and another account's bucket look alike.
func (l look) judge(ctx context.Context, err error) (State, error) {
	s := State{Name: l.Name, Region: l.Region, Sure: true}
	switch status := awserr.Status(err); {
	case err == nil, status == http.StatusForbidden, status == http.StatusBadRequest:
		return l.byTags(ctx, s, err)
	case status == http.StatusNotFound:
		return l.free(), nil
	}
	return State{}, awserr.Translate(err, actionList, l.arn())
}

// byTags reads the tags. After a refused head they may still be open to the
// caller; if not, the answer has a code when the credentials are the reason.
func (l look) byTags(ctx context.Context, s State, head error) (State, error) {
	tags, err := l.tags(ctx)
	switch {
	case err == nil:
		s.Tags = tags
		return l.ofAccount(s), nil
	case awserr.Code(err) == "NoSuchBucket":
		return l.free(), nil
	case awserr.Denied(err) && head == nil:
		s.Missing = actionTags
		return l.ofAccount(s), nil
	case awserr.Denied(err):
		return l.byList(ctx, s, head)
	}
	return State{}, awserr.Translate(err, actionTags, l.arn())
}

// byList asks the list of the account's buckets, which knows for sure.
func (l look) byList(ctx context.Context, s State, head error) (State, error) {
	mine, err := listed(ctx, l.api, l.Name, l.at)
	switch {
	case awserr.Denied(err):
		s.Kind, s.Sure, s.Missing = OtherAccount, false, actionList
		return s, nil
	case err != nil:
		return State{}, awserr.Translate(err, actionListAll, "*")
	case mine != nil:
		s.Missing = actionTags
		return l.ofAccount(s), nil
	case awserr.Status(head) == http.StatusBadRequest:
		return State{}, awserr.Translate(head, actionList, l.arn())
	}
	s.Kind = OtherAccount
	return s, nil
}

// ofAccount sorts a bucket of this account by region and tags.
func (l look) ofAccount(s State) State {
	switch {
	case l.Region != l.facts.Region.Value:
		s.Kind = OtherRegion
	case s.Tags == nil:
		s.Kind = TagsUnreadable
	case render.OfThisCluster(s.Tags, l.facts):
		s.Kind = Ours
	default:
		s.Kind = Foreign
	}
	return s
}

func (l look) free() State { return State{Kind: Free, Name: l.Name, Sure: true} }

// tags reads the tags; a bucket without any has an empty, not a nil map.
func (l look) tags(ctx context.Context) (map[string]string, error) {
	out, err := l.api.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: l.bucket(), ExpectedBucketOwner: l.owner()}, l.at)
	if awserr.Code(err) == noTags {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	tags := make(map[string]string, len(out.TagSet))
	for _, t := range out.TagSet {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags, nil
}

// listed is a bucket as the list of the caller's account has it, nil if it has not.
func listed(ctx context.Context, api s3.ListBucketsAPIClient, name string, at func(*s3.Options)) (*types.Bucket, error) {
	for pages := s3.NewListBucketsPaginator(api, &s3.ListBucketsInput{Prefix: aws.String(name)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx, at)
		if err != nil {
			return nil, err
		}
		for _, b := range page.Buckets {
			if aws.ToString(b.Name) == name {
				return &b, nil
			}
		}
	}
	return nil, nil
}

// Created is when the bucket was created, as the list of the account's buckets says: no
// request for the bucket itself has it. It is ErrGone if the account has no such bucket;
// without s3:ListAllMyBuckets awserr.Denied(err) is true. It is asked in the region where
// S3 keeps the names of the partition: other regions answer with the time of the last
// change to the bucket, such as to its policy ("Bucket" in the Amazon S3 API Reference).
func Created(ctx context.Context, api API, t Target) (time.Time, error) {
	if err := t.check(); err != nil {
		return time.Time{}, err
	}
	is, err := listed(ctx, api, t.Name, func(o *s3.Options) { o.Region = homeRegion(t) })
	switch {
	case err != nil:
		return time.Time{}, explain(t, err, actionListAll, "*")
	case is == nil:
		return time.Time{}, ErrGone
	}
	return aws.ToTime(is.CreationDate), nil
}

// homeRegion is where S3 keeps the names of all buckets of the partition.
func homeRegion(t Target) string {
	return cmp.Or(map[string]string{
		"": "us-east-1", "aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1",
	}[t.Partition], t.Region)
}

// The pages that explain a refusal: by MoreForeign a caller knows that of a bucket
// of this account that is not known to be ours.
const (
	moreTaken   = "docs/checks/bucket-name-taken.md"
	MoreForeign = "docs/checks/bucket-foreign.md"
)

const anotherProject = "oc ostoy-s3 install --new-project"

// Guard says whether the app may have the bucket: nil, or a *problem.Error of
// kind Refused with the way out. adopt is leave (--adopt=bucket) to take over a
// bucket of this account that is not known to be ours; for another account's
// bucket and for one in another region there is no leave.
func Guard(s State, f render.Facts, adopt bool) error {
	switch s.Kind {
	case Free, Ours:
		return nil
	case OtherAccount:
		return otherAccount(s, f)
	case OtherRegion:
		return otherRegion(s, f)
	}
	if adopt && (s.Kind == Foreign || s.Kind == TagsUnreadable) {
		return nil
	}
	known, why := "is not ours", s.whose(f)+". Taking it over would change its settings, tags and policy, and open what is in it to OSToy."
	if s.Kind == TagsUnreadable {
		known = "it cannot be seen whose it is"
	}
	return problem.Refuse(fmt.Sprintf("bucket %s is in this account already and %s", s.Name, known), strings.ToUpper(why[:1])+why[1:],
		fmt.Sprintf("%s, or %s to take it over", anotherProject, again(f, "--adopt=bucket"))).See(MoreForeign)
}

func otherAccount(s State, f render.Facts) error {
	e := problem.Refuse(fmt.Sprintf("bucket %s belongs to another AWS account", s.Name),
		fmt.Sprintf("Bucket names are global, and OSToy always uses <project>-bucket, so the project %q cannot have one.",
			f.Namespace.Value),
		anotherProject).See(moreTaken)
	if !s.Sure {
		e.What += ", or you lack " + s.Missing + " on it"
		e.Why += " S3 answers both cases alike."
		e.Next += fmt.Sprintf(", or, if it belongs to account %s, ask an AWS administrator for %s and %s on it", f.Account.Value, s.Missing, actionTags)
	}
	return e
}

// otherRegion has no leave: the controller cannot manage a bucket outside the
// region its Bucket names, and says so in its log only.
func otherRegion(s State, f render.Facts) error {
	is := advice.Region(s.Region)
	next := again(f, "--region", is.Word()) + " to use it where it is"
	if !render.OfThisCluster(s.Tags, f) {
		next = fmt.Sprintf("%s, or %s to take it over where it is", anotherProject, again(f, "--region", is.Word(), "--adopt=bucket"))
	}
	return problem.Refuse(fmt.Sprintf("bucket %s is in this account already, in region %s and not in %s", s.Name, is, f.Region.Value),
		"A bucket cannot be moved, and a name is used once in all regions; "+s.whose(f)+".",
		next).See(MoreForeign)
}

// again is install in the project, with flags.
func again(f render.Facts, flags ...string) string {
	return advice.Command("oc ostoy-s3 install", append([]string{"-n", f.Namespace.Value}, flags...)...)
}
