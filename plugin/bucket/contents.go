package bucket

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
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
	if err := t.check(); err != nil {
		return Contents{}, err
	}
	var c Contents
	err := eachPage(ctx, api, t, "", func(page []entry) error {
		for _, e := range page {
			c.add(e)
		}
		return nil
	})
	switch {
	case err == nil:
		return c, nil
	case awserr.Denied(err):
		return countCurrent(ctx, api, t)
	}
	return Contents{}, err
}

// Count is the package's Count with the real S3.
func (c *Client) Count(ctx context.Context, t Target) (Contents, error) { return Count(ctx, c, t) }

func (c *Contents) add(e entry) {
	switch {
	case strings.HasPrefix(e.key, OwnPrefix):
		c.Ours++
		return
	case e.marker:
		c.DeleteMarkers++
	case e.latest:
		c.Objects++
	default:
		c.Versions++
	}
	c.Bytes += e.size
}

// countCurrent is for a caller who may list objects and not versions.
func countCurrent(ctx context.Context, api Lister, t Target) (Contents, error) {
	c := Contents{Partial: true}
	in := &s3.ListObjectsV2Input{Bucket: t.bucket(), ExpectedBucketOwner: t.owner(), EncodingType: types.EncodingTypeUrl}
	for {
		out, err := api.ListObjectsV2(ctx, in, t.at)
		if err != nil {
			return Contents{}, t.explain(err, actionList, t.arn())
		}
		for _, o := range out.Contents {
			c.add(entry{key: decode(out.EncodingType, o.Key), size: aws.ToInt64(o.Size), latest: true})
		}
		if !aws.ToBool(out.IsTruncated) || aws.ToString(out.NextContinuationToken) == "" {
			return c, nil
		}
		next := *in
		next.ContinuationToken = out.NextContinuationToken
		in = &next
	}
}
