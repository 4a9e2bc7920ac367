package bucket

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Created is when the bucket was created, as the list of the account's buckets says: no
// request for the bucket itself has it. It is ErrGone if the account has no such bucket;
// without s3:ListAllMyBuckets awserr.Denied(err) is true. It is asked in the region where
// S3 keeps the names of the partition: other regions answer with the time of the last
// change to the bucket, such as to its policy ("Bucket" in the Amazon S3 API Reference).
func Created(ctx context.Context, api API, t Target) (time.Time, error) {
	if err := t.check(); err != nil {
		return time.Time{}, err
	}
	in := &s3.ListBucketsInput{Prefix: aws.String(t.Name)}
	home := func(o *s3.Options) { o.Region = t.homeRegion() }
	for range maxBucketPages {
		out, err := api.ListBuckets(ctx, in, home)
		if err != nil {
			return time.Time{}, t.explain(err, actionListAll, "*")
		}
		for _, b := range out.Buckets {
			if aws.ToString(b.Name) == t.Name {
				return aws.ToTime(b.CreationDate), nil
			}
		}
		if aws.ToString(out.ContinuationToken) == "" {
			break
		}
		next := *in
		next.ContinuationToken = out.ContinuationToken
		in = &next
	}
	return time.Time{}, ErrGone
}

// homeRegion is where S3 keeps the names of all buckets of the partition.
func (t Target) homeRegion() string {
	switch t.Partition {
	case "aws", "":
		return "us-east-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	case "aws-cn":
		return "cn-north-1"
	}
	return t.Region
}

// Created is the package's Created with the real S3.
func (c *Client) Created(ctx context.Context, t Target) (time.Time, error) { return Created(ctx, c, t) }
