package bucket

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Lister is what counting takes.
type Lister interface {
	ListObjectVersions(context.Context, *s3.ListObjectVersionsInput, ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// Contents is what is in a bucket. What is below OwnPrefix is in Ours only.
type Contents struct {
	Objects       int64 `json:"objects"`       // what a plain listing shows
	Versions      int64 `json:"versions"`      // older versions besides
	DeleteMarkers int64 `json:"deleteMarkers"` // what a deletion leaves where versions are kept
	Bytes         int64 `json:"bytes"`         // of objects and older versions
	Ours          int   `json:"ours"`          // objects, versions and markers below OwnPrefix
	// Partial says that versions may not be listed (s3:ListBucketVersions), so
	// Versions and DeleteMarkers are not known and the other numbers are of
	// current objects only.
	Partial bool `json:"partial,omitempty"`
}

// Data reports whether there is anything that is not ours. Delete markers
// count: versions may be hidden behind them. False with Partial is no proof.
func (c Contents) Data() bool { return c.Objects+c.Versions+c.DeleteMarkers > 0 }

// Count looks through the whole bucket: one request for every 1,000 objects,
// versions and markers. Where there is no bucket the error is ErrGone; for a
// caller who may list nothing awserr.Denied(err) is true.
func Count(ctx context.Context, api Lister, t Target) (Contents, error) {
	return Contents{}, errors.ErrUnsupported
}

// Count is the package's Count with the real S3.
func (c *Client) Count(ctx context.Context, t Target) (Contents, error) { return Count(ctx, c, t) }
