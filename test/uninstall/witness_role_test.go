package uninstall

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testF7NoRightToTheRole: without permission to read the role nothing shows that the
// bucket is the project's.
func testF7NoRightToTheRole(t *testing.T, bed *testbed.Bed) {
	const namespace = "hidden-role"
	admin := installed(t, bed, namespace)
	put(t, bed, namespace, "a.txt")
	orders(t, bed.AWS.Deny(t.Context(), "iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:ListRoles"))
	uninstall(t, admin, 0, namespace, "--delete-data", "--keep-role", "--yes").WantTalk(t, "you may not read the role "+roleName(bed, namespace))
	if n := objectsIn(t, bed, namespace); n != 1 {
		t.Errorf("%d objects are left of 1", n)
	}
	orders(t, bed.AWS.Reset(t.Context()))
	uninstall(t, admin, 0, namespace, "--delete-data", "--yes")
	wantLeft(t, bed, namespace)
}

// testF7AnotherClusters: a role of another issuer, for a project of the same name, proves
// nothing here.
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
	result := run.Admin(bed).Run(t, "uninstall", "-n", namespace, "--delete-data", "--yes")
	if objectsIn(t, bed, namespace) != 0 {
		t.Errorf("the bucket is gone\n%s", result)
	}
	if _, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err != nil {
		t.Errorf("the role is gone: %v\n%s", err, result)
	}
}
