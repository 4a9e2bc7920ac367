package trouble_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
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

// ourTags are those by which install knows its own bucket: manager, issuer and namespace.
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
	before := world.Look(t, user.Bed, namespace)
	result := user.Run(t, append([]string{"install", "-n", namespace}, args...)...)
	wantMessages(t, result, code, want)
	result.WantStdout(t, "")
	before.WantSame(t, world.Look(t, user.Bed, namespace))
}

func TestBucketOfAnotherAccount(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "bucket-theirs"
	world.NewNamespace(t, bed, namespace)
	other, err := bed.OtherS3(t.Context(), "222222222222")
	if err != nil {
		t.Fatal(err)
	}
	makeBucket(t, other, namespace, testbed.Region, nil)
	for _, args := range [][]string{nil, {"--adopt=bucket"}} {
		before := world.World{}
		before.Bucket(t, other, namespace+"-bucket")
		wantRefused(t, run.Admin(bed), namespace, refused, message{
			what: "bucket bucket-theirs-bucket belongs to another AWS account",
			why:  "OSToy always uses <project>-bucket … \"bucket-theirs\"",
			next: "oc ostoy-s3 install --new-project",
		}, args...)
		now := world.World{}
		now.Bucket(t, other, namespace+"-bucket")
		before.WantSame(t, now)
	}
}

func TestBucketOfThisAccount(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	second := ourTags(bed, "bucket-issuer")
	second["ostoy-s3/issuer"] = "https://oidc.op1.openshiftapps.com/2second"
	twin := ourTags(bed, "bucket-cluster")
	twin["ostoy-s3/cluster-id"] = "11111111-2222-4333-8444-555555555555"
	for _, c := range []struct {
		namespace, region string
		tags              map[string]string
		what, why, next   string
	}{
		{"bucket-plain", testbed.Region, nil, "is in this account already and is not ours", "no tags", "--new-project … --adopt=bucket"},
		{"bucket-tagged", testbed.Region, map[string]string{"team": "billing"}, "is not ours", "tags are not ours (team=billing)", "--adopt=bucket"},
		{"bucket-issuer", testbed.Region, second, "is not ours", "issuer https://oidc.op1.openshiftapps.com/2second … this cluster's is", "--adopt=bucket"},
		{"bucket-cluster", testbed.Region, twin, "is not ours", "the cluster 11111111-2222-4333-8444-555555555555 made it", "--adopt=bucket"},
		{"bucket-region", "eu-west-1", nil, "in region eu-west-1 and not in us-east-2", "A bucket cannot be moved", "--region eu-west-1 --adopt=bucket"},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			t.Parallel()
			world.NewNamespace(t, bed, c.namespace)
			makeBucket(t, bed.S3(), c.namespace, c.region, c.tags)
			wantRefused(t, run.Admin(bed), c.namespace, refused, message{"bucket " + c.namespace + "-bucket … " + c.what, c.why, c.next})
			args := []string{"install", "-n", c.namespace, "--adopt=bucket", "-o", "json", "--region", c.region}
			result := run.Admin(bed).Run(t, args...).WantCode(t, done)
			var document struct{ Ready bool }
			if result.JSON(t, &document); !document.Ready {
				t.Errorf("not ready\n%s", result)
			}
			wantOurBucket(t, bed, c.namespace, c.region)
		})
	}
}

// wantOurBucket wants the tags that make a bucket ours, and that the
// inventory knows where it comes from.
func wantOurBucket(t *testing.T, bed *testbed.Bed, namespace, region string) {
	t.Helper()
	got, err := bed.S3().GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: aws.String(namespace + "-bucket")},
		func(o *s3.Options) { o.Region = region })
	if err != nil {
		t.Fatal(err)
	}
	want := ourTags(bed, namespace)
	for _, found := range got.TagSet {
		if want[*found.Key] == *found.Value {
			delete(want, *found.Key)
		}
	}
	if len(want) > 0 {
		t.Errorf("the bucket has tags %s and lacks %v", world.InJSON(got.TagSet), want)
	}
}

// TestBucketKept: the project went and the bucket stayed; a new project of
// that name finds it and takes it up again without being told to.
func TestBucketKept(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "bucket-kept"
	world.NewNamespace(t, bed, namespace)
	admin, name := run.Admin(bed), aws.String(namespace+"-bucket")
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	// The test speaks HTTP, which the bucket's own policy forbids.
	if _, err := bed.S3().DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := bed.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: name, Key: aws.String("kept.txt")}); err != nil {
		t.Fatal(err)
	}
	if record := inventory(t, bed, namespace); !holds(record, "bucketOrigin:created") {
		t.Errorf("the inventory does not say that the bucket was made: %s", record)
	}
	admin.Kubectl(t, "delete", "namespace", namespace).WantCode(t, 0)
	world.NewNamespace(t, bed, namespace)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	wantOurBucket(t, bed, namespace, testbed.Region)
	if _, err := bed.S3().GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: name}); err != nil {
		t.Errorf("the bucket's policy is not back: %v", err)
	}
	kept, err := bed.S3().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: name})
	if err != nil || len(kept.Contents) != 1 {
		t.Errorf("the object is gone: %v, %v", kept, err)
	}
	if record := inventory(t, bed, namespace); !holds(record, "bucketOrigin:adopted") {
		t.Errorf("the inventory does not say that the bucket was there: %s", record)
	}
}

// testBucketHidden: what the caller may not ask decides what can be said, and
// on a healthy install ACK's own Bucket speaks for the bucket.
func testBucketHidden(t *testing.T, bed *testbed.Bed) {
	const strange, ours = "bucket-hidden", "bucket-working"
	world.NewNamespace(t, bed, strange)
	world.NewNamespace(t, bed, ours)
	makeBucket(t, bed.S3(), strange, testbed.Region, nil)
	admin := run.Admin(bed)
	admin.Run(t, "install", "-n", ours).WantCode(t, done)

	orderDeny(t, bed, "s3:ListBucket", "s3:GetBucketTagging")
	wantRefused(t, admin, strange, refused, message{
		"bucket bucket-hidden-bucket is in this account already and it cannot be seen whose it is", "without s3:GetBucketTagging", "--adopt=bucket",
	})
	admin.Run(t, "install", "-n", ours).WantCode(t, done).WantTalk(t, "nothing to change")

	orderDeny(t, bed, "s3:*")
	wantRefused(t, admin, strange, refused, message{
		"bucket bucket-hidden-bucket belongs to another AWS account, or you lack s3:ListBucket on it",
		"S3 answers both cases alike", "--new-project … s3:ListBucket and s3:GetBucketTagging",
	})
	admin.Run(t, "install", "-n", ours).WantCode(t, done).WantTalk(t, "nothing to change")
}

// TestBucketUntagged: a run that was cut off right after the bucket was made
// leaves one that nobody has put tags on yet.
func TestBucketUntagged(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "bucket-cutoff"
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	if _, err := bed.S3().DeleteBucketTagging(t.Context(), &s3.DeleteBucketTaggingInput{Bucket: aws.String(namespace + "-bucket")}); err != nil {
		t.Fatal(err)
	}
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
}
