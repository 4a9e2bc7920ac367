package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
)

// Lister is what counting takes.
type Lister interface {
	s3.ListObjectVersionsAPIClient // sees everything in a bucket
	s3.ListObjectsV2APIClient
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
	c, _, err := CountSome(ctx, api, t, 0)
	return c, err
}

// errEnough ends a listing early.
var errEnough = errors.New("enough is counted")

// CountSome is Count that ends after so many requests, of 1,000 things each; more
// says that there is more in the bucket.
func CountSome(ctx context.Context, api Lister, t Target, requests int) (c Contents, more bool, err error) {
	if err := t.check(); err != nil {
		return c, false, err
	}
	count := func(page []entry, truncated bool) error {
		for _, e := range page {
			c.add(e)
		}
		requests--
		if more = truncated && requests == 0; more {
			return errEnough
		}
		return nil
	}
	err = eachPage(ctx, api, t, "", count)
	if awserr.Denied(err) {
		c = Contents{Partial: true}
		err = eachPageOfCurrent(ctx, api, t, count)
	}
	if err != nil && !errors.Is(err, errEnough) {
		return Contents{}, false, err
	}
	return c, more, nil
}

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

// eachPageOfCurrent is eachPage for a caller who may list objects and not versions.
func eachPageOfCurrent(ctx context.Context, api Lister, t Target, do func(page []entry, truncated bool) error) error {
	in := &s3.ListObjectsV2Input{Bucket: t.bucket(), ExpectedBucketOwner: t.owner(), EncodingType: types.EncodingTypeUrl}
	for pages := s3.NewListObjectsV2Paginator(api, in); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx, t.at)
		if err != nil {
			return explain(t, err, actionList, t.arn())
		}
		var page []entry
		for _, o := range out.Contents {
			page = append(page, entry{key: decode(out.EncodingType, o.Key), size: aws.ToInt64(o.Size), latest: true})
		}
		if err := do(page, pages.HasMorePages()); err != nil {
			return err
		}
	}
	return nil
}

const (
	actionVersions       = "s3:ListBucketVersions"
	actionDeleteVersions = "s3:DeleteObjectVersion"
	actionDeleteBucket   = "s3:DeleteBucket"
)

// entry is one thing in a bucket.
type entry struct {
	key, version   string
	size           int64
	latest, marker bool
}

// eachPage gives do the bucket's versions and markers below the prefix, page by
// page, and whether there are more. Keys come percent-encoded, because a key may hold characters that XML
// cannot. Errors of the request are explained, those of do are passed on.
func eachPage(ctx context.Context, api s3.ListObjectVersionsAPIClient, t Target, prefix string, do func(page []entry, truncated bool) error) error {
	in := &s3.ListObjectVersionsInput{
		Bucket: t.bucket(), ExpectedBucketOwner: t.owner(), EncodingType: types.EncodingTypeUrl,
	}
	if prefix != "" {
		in.Prefix = aws.String(prefix)
	}
	for {
		out, err := api.ListObjectVersions(ctx, in, t.at)
		if err != nil {
			return explain(t, err, actionVersions, t.arn())
		}
		truncated := aws.ToBool(out.IsTruncated) && aws.ToString(out.NextKeyMarker) != ""
		if err := do(entries(out), truncated); err != nil || !truncated {
			return err
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
func explain(t Target, err error, action, resource string) error {
	if !awserr.Missing(err) {
		return awserr.Translate(err, action, resource)
	}
	return problem.Fail("bucket "+t.Name+" is not there", "no account has a bucket of that name",
		"the next install creates it; there is nothing to remove").Because(ErrGone)
}

// Amount is what is in a bucket, in words: "12 objects, 3 older versions, 3.4 MiB".
func Amount(c *Contents) string {
	if c == nil {
		return "what is in it could not be counted"
	}
	text := phrase.Count(c.Objects, "object")
	if c.Versions > 0 {
		text += ", " + phrase.Count(c.Versions, "older version")
	}
	if c.DeleteMarkers > 0 {
		text += ", " + phrase.Count(c.DeleteMarkers, "delete marker")
	}
	text += ", " + inBytes(c.Bytes)
	if c.Partial {
		text += " (older versions not counted: needs s3:ListBucketVersions)"
	}
	return text
}

// inBytes is a size in words: "3.4 MiB".
func inBytes(n int64) string {
	const step = 1024
	if n < step {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value /= step; value < step {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// Inside is what one bounded look into a bucket found.
type Inside struct {
	Contents *Contents // nil if it could not be counted
	More     bool      // there is more than was counted
	Err      error     // why it could not be counted, explained (*problem.Error)
}

// LookInside counts what is in a bucket with at most two requests, of 1,000 things each:
// enough for somebody who is about to decide what happens to it.
func LookInside(ctx context.Context, api Lister, t Target) Inside {
	const requests = 2
	contents, more, err := CountSome(ctx, api, t, requests)
	if err != nil {
		return Inside{Err: err}
	}
	return Inside{Contents: &contents, More: more}
}

// Empty reports whether the bucket certainly holds no object that a reader could be
// shown: older versions and what verify wrote are none.
func (i Inside) Empty() bool { return i.Contents != nil && !i.More && i.Contents.Objects == 0 }
