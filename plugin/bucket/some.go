package bucket

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// CountSome is Count that ends after so many requests, of 1,000 things each; more
// says that there is more in the bucket.
func CountSome(ctx context.Context, api Lister, t Target, requests int) (c Contents, more bool, err error) {
	some := &firstPages{Lister: api, left: requests}
	c, err = Count(ctx, some, t)
	return c, some.more, err
}

// firstPages is a Lister that ends after so many pages.
type firstPages struct {
	Lister
	left int
	more bool
}

// ListObjectVersions implements Lister.
func (f *firstPages) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput, opts ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
	out, err := f.Lister.ListObjectVersions(ctx, in, opts...)
	if err == nil && f.last(out.IsTruncated) {
		out.IsTruncated = aws.Bool(false)
	}
	return out, err
}

// ListObjectsV2 implements Lister.
func (f *firstPages) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, opts ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	out, err := f.Lister.ListObjectsV2(ctx, in, opts...)
	if err == nil && f.last(out.IsTruncated) {
		out.IsTruncated = aws.Bool(false)
	}
	return out, err
}

// last reports whether this page must be the last although there is another.
func (f *firstPages) last(truncated *bool) bool {
	f.left--
	f.more = f.left <= 0 && aws.ToBool(truncated)
	return f.more
}
