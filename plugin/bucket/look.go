package bucket

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	actionList     = "s3:ListBucket"
	actionTags     = "s3:GetBucketTagging"
	actionListAll  = "s3:ListAllMyBuckets"
	regionHeader   = "X-Amz-Bucket-Region"
	noTags         = "NoSuchTagSet"
	maxBucketPages = 20
)

// look is one look at one bucket.
type look struct {
	api    API
	facts  render.Facts
	name   string
	region string // where to ask
}

// Look finds out whose the bucket is: two requests in the usual case, one when
// the name is free. It needs namespace, account, region and issuer of the facts.
// Errors are explained (*problem.Error).
func Look(ctx context.Context, api API, f render.Facts) (State, error) {
	l := look{api: api, facts: f, name: render.BucketName(f.Namespace.Value), region: f.Region.Value}
	found, err := l.head(ctx)
	if l.elsewhere(found, err) {
		// Only in its own region S3 says whose it is.
		l.region = found
		_, err = l.head(ctx)
	}
	return l.judge(ctx, err)
}

// Look is the package's Look with the real S3.
func (c *Client) Look(ctx context.Context, f render.Facts) (State, error) { return Look(ctx, c, f) }

// head asks for the bucket where it is believed to be, and gives back the region
// S3 names. With the expected owner, a bucket of another account is refused even
// where its policy would let everybody in.
func (l look) head(ctx context.Context) (region string, err error) {
	out, err := l.api.HeadBucket(ctx, &s3.HeadBucketInput{
		Bucket: aws.String(l.name), ExpectedBucketOwner: l.owner(),
	}, l.at)
	if err != nil {
		return awserr.Header(err, regionHeader), err
	}
	return aws.ToString(out.BucketRegion), nil
}

// elsewhere reports whether S3 named another region than the one it was asked
// in: with 301 or 307, with 400 for a signature made for the wrong region, and
// in us-east-1 also with 403. A name nobody has is 404 everywhere.
func (l look) elsewhere(region string, err error) bool {
	return region != "" && region != l.region && awserr.Status(err) != http.StatusNotFound
}

// judge makes a state of the answer to the last head.
func (l look) judge(ctx context.Context, err error) (State, error) {
	s := State{Name: l.name, Region: l.region, Sure: true}
	switch {
	case err == nil, isRefusal(err):
		return l.byTags(ctx, s, err)
	case awserr.Status(err) == http.StatusNotFound:
		return l.free(), nil
	}
	return State{}, awserr.Translate(err, actionList, l.arn())
}

// isRefusal recognises a refused HEAD: it has no body, so bad credentials (400
// or 403), a missing right and another account's bucket look alike.
func isRefusal(err error) bool {
	return awserr.Status(err) == http.StatusForbidden || awserr.Status(err) == http.StatusBadRequest
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
	mine, err := l.listed(ctx)
	switch {
	case awserr.Denied(err):
		s.Kind, s.Sure, s.Missing = OtherAccount, false, actionList
		return s, nil
	case err != nil:
		return State{}, awserr.Translate(err, actionListAll, "*")
	case mine:
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
	case l.region != l.facts.Region.Value:
		s.Kind = OtherRegion
	case s.Tags == nil:
		s.Kind = TagsUnreadable
	case ours(s.Tags, l.facts):
		s.Kind = Ours
	default:
		s.Kind = Foreign
	}
	return s
}

func (l look) free() State { return State{Kind: Free, Name: l.name, Sure: true} }

// tags reads the tags; a bucket without any has an empty, not a nil map.
func (l look) tags(ctx context.Context) (map[string]string, error) {
	out, err := l.api.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{
		Bucket: aws.String(l.name), ExpectedBucketOwner: l.owner(),
	}, l.at)
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

// listed reports whether the caller's account has the bucket.
func (l look) listed(ctx context.Context) (bool, error) {
	in := &s3.ListBucketsInput{Prefix: aws.String(l.name)}
	for range maxBucketPages {
		out, err := l.api.ListBuckets(ctx, in, l.at)
		if err != nil {
			return false, err
		}
		for _, b := range out.Buckets {
			if aws.ToString(b.Name) == l.name {
				return true, nil
			}
		}
		if aws.ToString(out.ContinuationToken) == "" {
			break
		}
		in = &s3.ListBucketsInput{Prefix: in.Prefix, ContinuationToken: out.ContinuationToken}
	}
	return false, nil
}

func (l look) at(o *s3.Options) { o.Region = l.region }

func (l look) owner() *string { return aws.String(l.facts.Account.Value) }

func (l look) arn() string {
	return "arn:" + l.facts.Partition.Value + ":s3:::" + l.name
}
