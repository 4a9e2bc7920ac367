package world

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// Bucket adds a bucket of the client's account, with what is in it.
func (w World) Bucket(t testing.TB, client *s3.Client, name string) {
	t.Helper()
	list, err := client.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range list.Buckets {
		if *found.Name == name {
			there := regionOf(t, client, name)
			w["bucket/"+name] = found.CreationDate.Format(time.RFC3339) + settings(t, client, name, there)
			w["data/"+name] = contents(t, client, name, there)
		}
	}
}

// regionOf leads requests to where the bucket is. The list of buckets does not
// say it; who asks in the wrong region is told.
func regionOf(t testing.TB, client *s3.Client, name string) func(*s3.Options) {
	t.Helper()
	region := testbed.Region
	_, err := client.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &name})
	if elsewhere := (*awshttp.ResponseError)(nil); errors.As(err, &elsewhere) {
		region = cmp.Or(elsewhere.Response.Header.Get("X-Amz-Bucket-Region"), region)
	}
	return func(o *s3.Options) { o.Region = region }
}

// settings are those that the Bucket object states.
func settings(t testing.TB, client *s3.Client, name string, there func(*s3.Options)) string {
	t.Helper()
	ctx, text := t.Context(), ""
	// What a bucket does not have is an error, and as good a text as any.
	tags, tagsErr := client.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &name}, there)
	policy, policyErr := client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &name}, there)
	block, blockErr := client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &name}, there)
	if tagsErr == nil {
		slices.SortFunc(tags.TagSet, func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
		text += InJSON(tags.TagSet)
	}
	if policyErr == nil {
		text += *policy.Policy
	}
	if blockErr == nil {
		text += InJSON(block.PublicAccessBlockConfiguration)
	}
	return text
}

// contents are all objects, versions and delete markers, without what differs
// between two writes of the same.
func contents(t testing.TB, client *s3.Client, name string, there func(*s3.Options)) string {
	t.Helper()
	list, err := client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &name}, there)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, v := range list.Versions {
		lines = append(lines, fmt.Sprintf("%s %s latest=%t", *v.Key, *v.ETag, *v.IsLatest))
	}
	for _, m := range list.DeleteMarkers {
		lines = append(lines, fmt.Sprintf("%s deleted latest=%t", *m.Key, *m.IsLatest))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
