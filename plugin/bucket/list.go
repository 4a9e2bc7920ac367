package bucket

import (
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const (
	actionVersions       = "s3:ListBucketVersions"
	actionDeleteVersions = "s3:DeleteObjectVersion"
	actionDeleteBucket   = "s3:DeleteBucket"
)

// versionLister is the one operation that sees everything in a bucket.
type versionLister interface {
	ListObjectVersions(context.Context, *s3.ListObjectVersionsInput, ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error)
}

// entry is one thing in a bucket.
type entry struct {
	key, version   string
	size           int64
	latest, marker bool
}

// eachPage gives do the bucket's versions and markers below the prefix, page by
// page. Keys come percent-encoded, because a key may hold characters that XML
// cannot. Errors of the request are explained, those of do are passed on.
func eachPage(ctx context.Context, api versionLister, t Target, prefix string, do func([]entry) error) error {
	in := &s3.ListObjectVersionsInput{
		Bucket: t.bucket(), ExpectedBucketOwner: t.owner(), EncodingType: types.EncodingTypeUrl,
	}
	if prefix != "" {
		in.Prefix = aws.String(prefix)
	}
	for {
		out, err := api.ListObjectVersions(ctx, in, t.at)
		if err != nil {
			return t.explain(err, actionVersions, t.arn())
		}
		if err := do(entries(out)); err != nil {
			return err
		}
		if !aws.ToBool(out.IsTruncated) || aws.ToString(out.NextKeyMarker) == "" {
			return nil
		}
		next := *in
		next.KeyMarker = aws.String(decode(out.EncodingType, out.NextKeyMarker))
		next.VersionIdMarker = out.NextVersionIdMarker
		in = &next
	}
}

func entries(out *s3.ListObjectVersionsOutput) []entry {
	list := make([]entry, 0, len(out.Versions)+len(out.DeleteMarkers))
	for _, v := range out.Versions {
		list = append(list, entry{
			key: decode(out.EncodingType, v.Key), version: aws.ToString(v.VersionId),
			size: aws.ToInt64(v.Size), latest: aws.ToBool(v.IsLatest),
		})
	}
	for _, m := range out.DeleteMarkers {
		list = append(list, entry{
			key: decode(out.EncodingType, m.Key), version: aws.ToString(m.VersionId),
			latest: aws.ToBool(m.IsLatest), marker: true,
		})
	}
	return list
}

// decode undoes the encoding where the answer says that there is one; not every
// S3 knows it. S3 encodes as forms do: a blank is a plus.
func decode(encoding types.EncodingType, key *string) string {
	plain := aws.ToString(key)
	if encoding != types.EncodingTypeUrl {
		return plain
	}
	if decoded, err := url.QueryUnescape(plain); err == nil {
		return decoded
	}
	return plain
}

// explain makes a *problem.Error of an answer, with ErrGone in it where the
// answer is that there is no bucket.
func (t Target) explain(err error, action, resource string) error {
	if !awserr.Missing(err) {
		return awserr.Translate(err, action, resource)
	}
	return &problem.Error{
		Kind: problem.Failed,
		What: "bucket " + t.Name + " is not there",
		Why:  "no account has a bucket of that name",
		Next: "oc ostoy-s3 install to make it again; there is nothing to remove",
		Err:  ErrGone,
	}
}
