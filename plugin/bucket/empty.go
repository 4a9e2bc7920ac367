package bucket

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Emptier is what emptying takes.
type Emptier interface {
	ListObjectVersions(context.Context, *s3.ListObjectVersionsInput, ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

// Empty deletes all objects, versions and delete markers, for good; onlyOurs
// keeps to what is below OwnPrefix. progress (may be nil) is told how many are
// deleted so far, by one goroutine at a time. It ends when a look finds nothing
// left, may be repeated after any end, and does nothing where there is no
// bucket. It needs s3:ListBucketVersions and s3:DeleteObjectVersion, and asks
// nobody: whether data may go is for the caller to know.
func Empty(ctx context.Context, api Emptier, t Target, onlyOurs bool, progress func(deleted int64)) error {
	return errors.ErrUnsupported
}

// Empty is the package's Empty with the real S3.
func (c *Client) Empty(ctx context.Context, t Target, onlyOurs bool, progress func(deleted int64)) error {
	return Empty(ctx, c, t, onlyOurs, progress)
}
