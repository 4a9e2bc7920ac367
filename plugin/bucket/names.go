package bucket

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
)

// Names are the names of all buckets of the account, by one request: without a limit
// S3 gives all of them to accounts that may have up to 10,000 ("ListBuckets" in the
// Amazon S3 API Reference).
func Names(ctx context.Context, api interface {
	ListBuckets(context.Context, *s3.ListBucketsInput, ...func(*s3.Options)) (*s3.ListBucketsOutput, error)
},
) ([]string, error) {
	out, err := api.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return nil, awserr.Translate(err, "s3:ListAllMyBuckets", "the account's buckets")
	}
	names := make([]string, 0, len(out.Buckets))
	for _, one := range out.Buckets {
		names = append(names, aws.ToString(one.Name))
	}
	return names, nil
}
