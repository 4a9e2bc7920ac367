package bucket

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// notEmpty is how S3 answers DeleteBucket while something is in the bucket.
const notEmpty = "BucketNotEmpty"

// Remover is what removing takes.
type Remover interface {
	DeleteBucket(context.Context, *s3.DeleteBucketInput, ...func(*s3.Options)) (*s3.DeleteBucketOutput, error)
}

// Remove deletes the bucket if it is empty, in one request that S3 does or
// refuses as a whole; it never empties. The errors to expect, all of them
// explained: ErrGone where there is no bucket, ErrNotEmpty where something is
// in it, and one with awserr.Denied for a caller without s3:DeleteBucket and
// for a bucket of another account. Uploads that were begun and never ended are
// no obstacle and go with the bucket.
func Remove(ctx context.Context, api Remover, t Target) error {
	if err := t.check(); err != nil {
		return err
	}
	_, err := api.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
	if awserr.Code(err) != notEmpty {
		return t.explain(err, actionDeleteBucket, t.arn())
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "bucket " + t.Name + " is not empty and stays",
		Why:  "S3 removes a bucket only when no object, no older version and no delete marker is in it",
		Next: "oc ostoy-s3 uninstall --delete-data to delete what is in it, for good, and the bucket with it",
		Err:  ErrNotEmpty,
	}
}

// Remove is the package's Remove with the real S3.
func (c *Client) Remove(ctx context.Context, t Target) error { return Remove(ctx, c, t) }
