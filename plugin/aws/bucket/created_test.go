package bucket

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// namesOnly is an S3 that notes in which region its buckets are listed.
type namesOnly struct {
	API
	region string
}

func (a *namesOnly) ListBuckets(_ context.Context, _ *s3.ListBucketsInput, options ...func(*s3.Options)) (*s3.ListBucketsOutput, error) {
	o := s3.Options{}
	for _, set := range options {
		set(&o)
	}
	a.region = o.Region
	return &s3.ListBucketsOutput{Buckets: []types.Bucket{{Name: aws.String("demo-bucket"), CreationDate: aws.Time(time.Unix(7, 0))}}}, nil
}

// TestF7CreatedWhereNamesAre: other regions answer with the time of the last change, so
// that a bucket that existed before would seem to be younger than its role.
func TestF7CreatedWhereNamesAre(t *testing.T) {
	for partition, want := range map[string]string{"": "us-east-1", "aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1", "aws-iso": "eu-west-1"} {
		api := &namesOnly{}
		at, err := Created(t.Context(), api, Target{Name: "demo-bucket", Account: "123456789012", Region: "eu-west-1", Partition: partition})
		if err != nil || at.Unix() != 7 || api.region != want {
			t.Errorf("%s: %s, %s, %v", partition, api.region, at, err)
		}
	}
}
