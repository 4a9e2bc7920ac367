package trouble_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

type tag = types.Tag

// makeBucket makes the bucket of a namespace behind everybody's back.
func makeBucket(t *testing.T, client *s3.Client, namespace, region string, tags map[string]string) {
	t.Helper()
	name := aws.String(namespace + "-bucket")
	there := func(o *s3.Options) { o.Region = region }
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket:                    name,
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)},
	}, there)
	if err != nil {
		t.Fatal(err)
	}
	var set []tag
	for key, value := range tags {
		set = append(set, tag{Key: aws.String(key), Value: aws.String(value)})
	}
	if len(set) == 0 {
		return
	}
	if _, err := client.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: name, Tagging: &types.Tagging{TagSet: set}}, there); err != nil {
		t.Fatal(err)
	}
}

// ourTags are those of DESIGN section 4.
func ourTags(bed *testbed.Bed, namespace string) map[string]string {
	return map[string]string{
		"app.kubernetes.io/managed-by": "ostoy-s3",
		"ostoy-s3/issuer":              bed.Issuer,
		"ostoy-s3/namespace":           namespace,
		"ostoy-s3/cluster-id":          testbed.ClusterID,
	}
}

// wantRefused runs install in a namespace and wants the message, and
// everything as it was.
func wantRefused(t *testing.T, user run.User, namespace string, code int, want message, args ...string) {
	t.Helper()
	before := look(t, user.Bed, namespace)
	result := user.Run(t, append([]string{"install", "-n", namespace}, args...)...)
	wantMessages(t, result, code, want)
	result.WantStdout(t, "")
	before.wantSame(t, look(t, user.Bed, namespace))
}

func TestBucketOfAnotherAccount(t *testing.T) {
	t.Parallel()
	bed := theBed(t)
	const namespace = "bucket-theirs"
	newNamespace(t, bed, namespace)
	other, err := bed.OtherS3(t.Context(), "222222222222")
	if err != nil {
		t.Fatal(err)
	}
	makeBucket(t, other, namespace, testbed.Region, nil)
	for _, args := range [][]string{nil, {"--adopt-bucket"}} {
		before := world{}
		before.bucket(t, other, namespace+"-bucket")
		wantRefused(t, run.Admin(bed), namespace, refused, message{
			what: "bucket bucket-theirs-bucket belongs to another AWS account",
			why:  "OSToy always uses <project>-bucket … \"bucket-theirs\"",
			next: "oc ostoy-s3 install --new-project",
		}, args...)
		now := world{}
		now.bucket(t, other, namespace+"-bucket")
		before.wantSame(t, now)
	}
}
