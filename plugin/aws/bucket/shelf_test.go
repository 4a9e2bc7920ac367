package bucket

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// shelf is one bucket in memory, with versions. It counts requests, and before
// lets a test answer instead or change the world.
type shelf struct {
	t      *testing.T
	mu     sync.Mutex
	items  []entry
	page   int // entries a page
	asked  []string
	plain  bool // does not know the encoding of keys, as some emulators
	before func(call string, try int) error
	// refuse answers for a single key of a batch; "" deletes it
	refuse func(item entry, try int) (code string)
	tries  map[string]int
	batch  []int // sizes of the batches
}

var (
	_ Lister  = (*shelf)(nil)
	_ Emptier = (*shelf)(nil)
	_ Remover = (*shelf)(nil)
)

func newShelf(t *testing.T, items ...entry) *shelf {
	t.Helper()
	slices.SortStableFunc(items, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	return &shelf{t: t, items: items, page: maxBatch, tries: map[string]int{}}
}

func apiError(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}

// enter holds each request against the target: the account must be asked for
// and the region be the bucket's.
func (s *shelf) enter(ctx context.Context, call string, bucket, owner *string, opts []func(*s3.Options)) (func(), error) {
	var o s3.Options
	for _, opt := range opts {
		opt(&o)
	}
	if *bucket != "demo-bucket" || aws.ToString(owner) != "123456789012" || o.Region != "us-east-2" {
		s.t.Errorf("%s of bucket %s, owner %s, in %s", call, *bucket, aws.ToString(owner), o.Region)
	}
	s.mu.Lock()
	s.asked = append(s.asked, call)
	s.tries[call]++
	try := s.tries[call]
	s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.before != nil {
		if err := s.before(call, try); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	return s.mu.Unlock, nil
}

// after lists what comes after a place, in S3's order: keys up, versions as they
// were put. A version that is gone is no place any more: the key's rest is left out.
func (s *shelf) after(prefix, key, version string) []entry {
	slices.SortStableFunc(s.items, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	var list []entry
	seen := key == ""
	for _, item := range s.items {
		switch {
		case item.key > key:
			seen = true
		case item.key == key && item.version == version:
			seen = true
			continue
		}
		if seen && strings.HasPrefix(item.key, prefix) {
			list = append(list, item)
		}
	}
	return list
}

func (s *shelf) spell(key string) *string {
	if s.plain {
		return aws.String(key)
	}
	return aws.String(url.QueryEscape(key))
}

func (s *shelf) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput, opts ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
	leave, err := s.enter(ctx, "ListObjectVersions", in.Bucket, in.ExpectedBucketOwner, opts)
	if err != nil {
		return nil, err
	}
	defer leave()
	list := s.after(aws.ToString(in.Prefix), aws.ToString(in.KeyMarker), aws.ToString(in.VersionIdMarker))
	out := &s3.ListObjectVersionsOutput{IsTruncated: aws.Bool(len(list) > s.page)}
	if !s.plain {
		out.EncodingType = in.EncodingType
	}
	list = list[:min(len(list), s.page)]
	for _, item := range list {
		if item.marker {
			out.DeleteMarkers = append(out.DeleteMarkers, types.DeleteMarkerEntry{Key: s.spell(item.key), VersionId: aws.String(item.version), IsLatest: aws.Bool(item.latest)})
			continue
		}
		out.Versions = append(out.Versions, types.ObjectVersion{Key: s.spell(item.key), VersionId: aws.String(item.version), IsLatest: aws.Bool(item.latest), Size: aws.Int64(item.size)})
	}
	if *out.IsTruncated {
		last := list[len(list)-1]
		out.NextKeyMarker, out.NextVersionIdMarker = s.spell(last.key), aws.String(last.version)
	}
	return out, nil
}

func (s *shelf) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, opts ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	leave, err := s.enter(ctx, "ListObjectsV2", in.Bucket, in.ExpectedBucketOwner, opts)
	if err != nil {
		return nil, err
	}
	defer leave()
	var list []entry
	for _, item := range s.items {
		if item.latest && !item.marker && item.key > aws.ToString(in.ContinuationToken) {
			list = append(list, item)
		}
	}
	out := &s3.ListObjectsV2Output{EncodingType: in.EncodingType, IsTruncated: aws.Bool(len(list) > s.page)}
	for _, item := range list[:min(len(list), s.page)] {
		out.Contents = append(out.Contents, types.Object{Key: s.spell(item.key), Size: aws.Int64(item.size)})
		out.NextContinuationToken = aws.String(item.key)
	}
	return out, nil
}

// drop deletes one version; true also where it is not there, as S3.
func (s *shelf) drop(key, version string) (code string) {
	at := slices.IndexFunc(s.items, func(e entry) bool { return e.key == key && e.version == version })
	if at < 0 {
		return ""
	}
	s.tries[key+version]++
	if s.refuse != nil {
		if code := s.refuse(s.items[at], s.tries[key+version]); code != "" {
			return code
		}
	}
	s.items = slices.DeleteFunc(s.items, func(e entry) bool { return e.key == key && e.version == version })
	return ""
}

func (s *shelf) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput, opts ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error) {
	leave, err := s.enter(ctx, "DeleteObjects", in.Bucket, in.ExpectedBucketOwner, opts)
	if err != nil {
		return nil, err
	}
	defer leave()
	if n := len(in.Delete.Objects); n == 0 || n > 1000 || !aws.ToBool(in.Delete.Quiet) {
		return nil, apiError("MalformedXML", "a batch of "+strconv.Itoa(n))
	}
	s.batch = append(s.batch, len(in.Delete.Objects))
	out := &s3.DeleteObjectsOutput{}
	for _, id := range in.Delete.Objects {
		if strings.ContainsAny(*id.Key, "\x01\r") {
			return nil, apiError("MalformedXML", "a key that XML cannot hold")
		}
		if code := s.drop(*id.Key, aws.ToString(id.VersionId)); code != "" {
			out.Errors = append(out.Errors, types.Error{Key: id.Key, VersionId: id.VersionId, Code: aws.String(code), Message: aws.String(code + " it is")})
		}
	}
	return out, nil
}

func (s *shelf) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput, opts ...func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
	leave, err := s.enter(ctx, "DeleteObject", in.Bucket, in.ExpectedBucketOwner, opts)
	if err != nil {
		return nil, err
	}
	defer leave()
	if code := s.drop(*in.Key, aws.ToString(in.VersionId)); code != "" {
		return nil, apiError(code, code+" it is")
	}
	return &s3.DeleteObjectOutput{}, nil
}

func (s *shelf) DeleteBucket(ctx context.Context, in *s3.DeleteBucketInput, opts ...func(*s3.Options)) (*s3.DeleteBucketOutput, error) {
	leave, err := s.enter(ctx, "DeleteBucket", in.Bucket, in.ExpectedBucketOwner, opts)
	if err != nil {
		return nil, err
	}
	defer leave()
	if len(s.items) > 0 {
		return nil, apiError("BucketNotEmpty", "The bucket you tried to delete is not empty")
	}
	return &s3.DeleteBucketOutput{}, nil
}
