package status

import (
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
)

// TestF2RegionOfABucket: the region to install with is that of S3, which Again has, and
// not what the Bucket resource says, which can be written in the project.
func TestF2RegionOfABucket(t *testing.T) {
	f := found(t)
	f.Again = "oc ostoy-s3 install -n demo --region us-west-2"
	f.S3.Bucket.Region = "us-west-2"
	object := f.BucketObject()
	object.SetAnnotations(map[string]string{"services.k8s.aws/region": "eu-west-1", "services.k8s.aws/deletion-policy": "retain"})
	if b := Of(f).Bucket; b.Mark != report.Wrong || b.Hint != f.Again || b.Region != "us-west-2" {
		t.Errorf("%+v", b.Part)
	}
	f.S3.Bucket = bucket.State{Kind: bucket.Free}
	if b := Of(f).Bucket; b.Region != "" {
		t.Errorf("S3 has no bucket, and its region is %s", b.Region)
	}
	f.S3.BucketErr = errors.New("no")
	if b := Of(f).Bucket; b.Mark != report.Wrong || strings.Contains(b.Hint, "--region us-") || strings.Contains(b.Hint, "eu-") {
		t.Errorf("%+v", b.Part)
	}
}
