package denied

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestF14ControllerGivesItselfObjects: the controller's role has no permission for
// objects, and gets it by the bucket policy that it writes, for itself and, after it
// removed Block Public Access, for everybody. Outside its pattern it can do neither.
func TestF14ControllerGivesItselfObjects(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.ROSAClassic, NoController: true, Enforce: true})
	run.Admin(bed).Run(t, "controller", "install", "--bucket-pattern", pattern).WantCode(t, done)
	session, role := controllerSession(t, bed), controllerRoles(t, bed)[0]
	const bucket, other = "ostoy-secret-bucket", "payroll-bucket"
	for _, name := range []string{bucket, other} {
		_, err := bed.S3().CreateBucket(t.Context(), bucketInput(name))
		must(t, err)
		must(t, objects{bed.S3(), name}.put(t))
	}
	mine := objects{session.S3(), bucket}
	wantDenied(t, "get", mine.get(t, "k"), "because no identity-based policy allows the s3:GetObject action")

	must(t, mine.allow(t, `{"AWS":"`+role+`"}`))
	must(t, mine.get(t, "k"))

	err := mine.allow(t, `"*"`)
	wantDenied(t, "a public policy", err, "because public policies are blocked by the BlockPublicPolicy block public access setting")
	_, err = mine.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: aws.String(bucket)})
	must(t, err)
	must(t, mine.allow(t, `"*"`))
	anybody, err := bed.OtherS3(t.Context(), stranger)
	must(t, err)
	must(t, objects{anybody, bucket}.get(t, "k"))

	root, err := bed.Other(t.Context(), stranger)
	must(t, err)
	_, err = root.STS().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("x")})
	wantDenied(t, "another account assumes the controller's role", err, "not authorized to perform: sts:AssumeRole")

	wantDenied(t, "the policy of a bucket outside the pattern", objects{session.S3(), other}.allow(t, `{"AWS":"`+role+`"}`), "s3:PutBucketPolicy")
	wantDenied(t, "an object outside the pattern", objects{session.S3(), other}.get(t, "k"), "s3:GetObject")
}

// allow writes a bucket policy that lets the principal read the objects.
func (o objects) allow(t *testing.T, principal string) error {
	t.Helper()
	_, err := o.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &o.bucket, Policy: aws.String(fmt.Sprintf(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":%s,"Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}`, principal, o.bucket))})
	return err
}

// testReachOfOtherAccount: the pattern covers a bucket of another account, which lets
// the whole account in; the role does not reach it.
func testReachOfOtherAccount(t *testing.T, bed *testbed.Bed, session testbed.Identity) {
	t.Helper()
	bucket := strings.Replace(pattern, "*", "stranger", 1)
	createOpen(t, bed, bucket)
	_, err := bed.S3().GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &bucket})
	must(t, err)
	for name, err := range bucketCalls(t.Context(), session.S3(), bucket) {
		wantDenied(t, name+" in another account", err, "Access Denied")
	}
}
