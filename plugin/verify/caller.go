package verify

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// caller is what the user's own AWS rights are for. Errors are as AWS gave them.
type caller interface {
	// otherBucket is the name of a bucket of the account and the region that is
	// not this one; empty if there is none.
	otherBucket(ctx context.Context, bucket, region string) (string, error)
	// remove deletes objects; kept are the keys of those that stay, and the error
	// then says why.
	remove(ctx context.Context, bucket, account string, objects []object) (kept []string, err error)
}

// object is one that verify wrote. A version is known where the bucket keeps them.
type object struct{ key, version string }

// realCaller is AWS with the user's credentials.
type realCaller struct{ s3 *s3.Client }

func newCaller(config aws.Config) realCaller {
	return realCaller{newS3(quiet(config))}
}

// otherBucket looks at the first few buckets: in another region S3 would answer
// with a redirect, before it has looked at rights.
func (c realCaller) otherBucket(ctx context.Context, bucket, region string) (string, error) {
	out, err := c.s3.ListBuckets(ctx, &s3.ListBucketsInput{BucketRegion: &region, MaxBuckets: aws.Int32(10)})
	if err != nil {
		return "", err
	}
	for _, other := range out.Buckets {
		if name := aws.ToString(other.Name); name != bucket && (other.BucketRegion == nil || *other.BucketRegion == region) {
			return name, nil
		}
	}
	return "", nil
}

// remove is one request. Versions are named where there are any, or S3 would hide
// the object and keep it.
func (c realCaller) remove(ctx context.Context, bucket, account string, objects []object) ([]string, error) {
	var ids []types.ObjectIdentifier
	var keys []string
	for _, o := range objects {
		id := types.ObjectIdentifier{Key: aws.String(o.key)}
		if o.version != "" {
			id.VersionId = aws.String(o.version)
		}
		ids, keys = append(ids, id), append(keys, o.key)
	}
	out, err := c.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &bucket, ExpectedBucketOwner: &account, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)},
	})
	if err != nil {
		return keys, err
	}
	var kept []string
	for _, refused := range out.Errors {
		kept = append(kept, aws.ToString(refused.Key))
		err = &smithy.GenericAPIError{Code: aws.ToString(refused.Code), Message: aws.ToString(refused.Message)}
	}
	if err != nil {
		err = fmt.Errorf("delete %d objects: %w", len(kept), err)
	}
	return kept, err
}
