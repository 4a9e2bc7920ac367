package bucket

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// API is what looking at a bucket takes. *Client is the real one.
type API interface {
	HeadBucket(context.Context, *s3.HeadBucketInput, ...func(*s3.Options)) (*s3.HeadBucketOutput, error)
	GetBucketTagging(context.Context, *s3.GetBucketTaggingInput, ...func(*s3.Options)) (*s3.GetBucketTaggingOutput, error)
	ListBuckets(context.Context, *s3.ListBucketsInput, ...func(*s3.Options)) (*s3.ListBucketsOutput, error)
}

// maxAttempts of one request, as for IAM.
const maxAttempts = 8

// Client is the real S3.
type Client struct{ *s3.Client }

var (
	_ API     = (*Client)(nil)
	_ Lister  = (*Client)(nil)
	_ Emptier = (*Client)(nil)
	_ Remover = (*Client)(nil)
)

// New gives a client for S3. At an endpoint of the user's (AWS_ENDPOINT_URL,
// AWS_ENDPOINT_URL_S3, endpoint_url: emulators, VPC endpoints) the bucket is in
// the path, because such a host has no subdomain for every bucket; at AWS's own
// it is in the host name, as AWS wants it.
func New(cfg aws.Config) *Client {
	return &Client{s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = o.UsePathStyle || o.BaseEndpoint != nil
		if o.RetryMaxAttempts == 0 {
			o.RetryMaxAttempts = maxAttempts
		}
		// A bucket that was made or changed a moment ago answers so for a while.
		o.Retryer = retry.AddWithErrorCodes(o.Retryer, "OperationAborted")
	})}
}
