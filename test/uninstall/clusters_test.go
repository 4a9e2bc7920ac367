package uninstall

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testF7AnotherClusters: a role of another issuer, for a project of the same name, proves
// nothing here, and the inventory does not lead to its removal, whatever flags are given.
func testF7AnotherClusters(t *testing.T, bed *testbed.Bed) {
	const namespace = "twin"
	name := namespace + "-ostoy-sa-00000000"
	tags := []iamtypes.Tag{}
	for key, value := range map[string]string{
		"app.kubernetes.io/managed-by": "ostoy-s3", "ostoy-s3/issuer": "https://oidc.example.com/other", "ostoy-s3/namespace": namespace, "ostoy-s3/bucket": namespace + "-bucket",
	} {
		tags = append(tags, iamtypes.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	_, err := bed.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &name, Path: aws.String("/ostoy-s3/"), Tags: tags, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`),
	})
	orders(t, err)
	_, err = bed.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String(namespace + "-bucket"), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testbed.Region},
	})
	orders(t, err)
	orders(t, bed.NewNamespace(t.Context(), namespace))
	forgeTags(t, bed, namespace)
	forgeInventory(t, bed, namespace, map[string]string{
		"bucket": namespace + "-bucket", "bucketOrigin": "created", "issuer": "https://oidc.example.com/other",
		"roleARN": "arn:aws:iam::" + testbed.Account + ":role/ostoy-s3/" + name,
	})
	for _, flags := range [][]string{{"--delete-data"}, {"--delete-data", "--adopt=role"}, {"--role-only", "--adopt=role"}, {"--delete-data", "--adopt=bucket,role"}} {
		result := uninstall(t, run.Admin(bed), 0, namespace, append(flags, "--yes")...).
			WantTalk(t, "issuer https://oidc.example.com/other", "not managed by ostoy-s3").WantNoTalk(t, "or --adopt=role", "--oidc-issuer https")
		byWord := slices.Contains(flags, "--adopt=bucket,role") // for the bucket, whose tags are forged, the admin's word counts
		if gone := objectsIn(t, bed, namespace) != 0; gone != byWord {
			t.Errorf("the bucket is gone: %t\n%s", gone, result)
		}
		if _, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err != nil {
			t.Errorf("the role is gone: %v\n%s", err, result)
		}
	}
}
