package verify

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// caller is what the user's own AWS permissions are for. Errors are as AWS gave them.
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

// remove names versions where there are any, or S3 would hide the object and keep it.
// An object without a known version leaves a delete marker where S3 keeps versions, or
// has kept some (versioning suspended): the markers go in a second request.
func (c realCaller) remove(ctx context.Context, bucket, account string, objects []object) ([]string, error) {
	markers, kept, err := c.removeOnce(ctx, bucket, account, objects)
	if len(markers) == 0 {
		return kept, err
	}
	_, marked, markedErr := c.removeOnce(ctx, bucket, account, markers)
	return append(kept, marked...), cmp.Or(err, markedErr)
}

// removeOnce is one request. It gives the delete markers that came of it.
func (c realCaller) removeOnce(ctx context.Context, bucket, account string, objects []object) (markers []object, kept []string, err error) {
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
		Bucket: &bucket, ExpectedBucketOwner: &account, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(false)},
	})
	if err != nil {
		return nil, keys, err
	}
	for _, gone := range out.Deleted {
		if aws.ToBool(gone.DeleteMarker) && aws.ToString(gone.VersionId) == "" && aws.ToString(gone.DeleteMarkerVersionId) != "" {
			markers = append(markers, object{aws.ToString(gone.Key), aws.ToString(gone.DeleteMarkerVersionId)})
		}
	}
	for _, refused := range out.Errors {
		kept = append(kept, aws.ToString(refused.Key))
		err = &smithy.GenericAPIError{Code: aws.ToString(refused.Code), Message: aws.ToString(refused.Message)}
	}
	if err != nil {
		err = fmt.Errorf("delete %d objects: %w", len(kept), err)
	}
	return markers, kept, err
}
