package health

import (
	"strings"
	"testing"
)

// TestF2RegionOfABucket: neither the region of the status nor that of the annotation is
// one to install with: both can be written in the project.
func TestF2RegionOfABucket(t *testing.T) {
	is := bucketWith(t, "status: {ackResourceMetadata: {region: us-west-2}}")
	got := Bucket(is, nil, false)
	if want := "aws s3api get-bucket-location --bucket demo-bucket "; !strings.HasPrefix(got.Hint, want) || strings.Contains(got.Hint, "--region us-") {
		t.Errorf("%+v, want %s", got, want)
	}
	if !InTwoRegions(is) || InTwoRegions(bucketWith(t, "status: {ackResourceMetadata: {region: us-east-2}}")) || InTwoRegions(bucketWith(t, "")) {
		t.Error("which Buckets name two regions")
	}
}
