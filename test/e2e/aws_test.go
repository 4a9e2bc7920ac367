package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// wantRole: the role trusts the one service account, and may do with the one
// bucket of the one account what OSToy does.
func wantRole(t *testing.T, bed *testbed.Bed, namespace string, clusterID any) {
	t.Helper()
	role := readRole(t, bed, roleName(bed, namespace))
	if *role.Arn != roleARN(bed, namespace) {
		t.Errorf("the role is %s", *role.Arn)
	}
	host := strings.TrimPrefix(bed.Issuer, "https://")
	wantDocument(t, "trust policy", *role.AssumeRolePolicyDocument, fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{
  "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
  "Principal": {"Federated": "arn:aws:iam::%[1]s:oidc-provider/%[2]s"},
  "Condition": {"StringEquals": {"%[2]s:sub": "system:serviceaccount:%[3]s:ostoy-sa", "%[2]s:aud": "sts.amazonaws.com"}}}]}`,
		testbed.Account, host, namespace))
	want := ownership(bed, namespace, clusterID)
	want["ostoy-s3/bucket"] = namespace + "-bucket"
	if have := tagsOf(role.Tags); !maps.Equal(have, want) {
		t.Errorf("tags of the role %v, want %v", have, want)
	}
	names := inlinePolicies(t, bed, *role.RoleName)
	if len(names) != 1 {
		t.Fatalf("inline policies %v, want one", names)
	}
	policy, err := bed.IAM().GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: role.RoleName, PolicyName: &names[0]})
	if err != nil {
		t.Fatal(err)
	}
	wantDocument(t, "permissions policy", *policy.PolicyDocument, fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [
  {"Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::%[1]s-bucket",
   "Condition": {"StringEquals": {"aws:ResourceAccount": "%[2]s"}}},
  {"Sid": "ReadWrite", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::%[1]s-bucket/*",
   "Condition": {"StringEquals": {"aws:ResourceAccount": "%[2]s"}}}]}`, namespace, testbed.Account))
}

func readRole(t *testing.T, bed *testbed.Bed, name string) *iamtypes.Role {
	t.Helper()
	found, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return found.Role
}

func inlinePolicies(t *testing.T, bed *testbed.Bed, role string) []string {
	t.Helper()
	list, err := bed.IAM().ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: &role})
	if err != nil {
		t.Fatal(err)
	}
	return list.PolicyNames
}

func attachedPolicies(t *testing.T, bed *testbed.Bed, role string) []string {
	t.Helper()
	list, err := bed.IAM().ListAttachedRolePolicies(t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: &role})
	if err != nil {
		t.Fatal(err)
	}
	var arns []string
	for _, policy := range list.AttachedPolicies {
		arns = append(arns, *policy.PolicyArn)
	}
	return arns
}

func tagsOf(list []iamtypes.Tag) map[string]string {
	tags := map[string]string{}
	for _, tag := range list {
		tags[*tag.Key] = *tag.Value
	}
	return tags
}

// wantDocument compares policies as JSON values; IAM answers them URL-encoded.
func wantDocument(t *testing.T, what, have, want string) {
	t.Helper()
	have, err := url.QueryUnescape(have)
	if err != nil {
		t.Fatal(err)
	}
	var haveValue, wantValue any
	if err := json.Unmarshal([]byte(have), &haveValue); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &wantValue); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(haveValue, wantValue) {
		t.Errorf("%s is %s, want %s", what, have, want)
	}
}

// wantBucket: the Bucket is ready and S3 has what it says.
func wantBucket(t *testing.T, bed *testbed.Bed, namespace string, clusterID any) {
	t.Helper()
	name := namespace + "-bucket"
	if conditions := field(t, liveObject(t, bed, buckets, namespace, name), "status", "conditions"); !strings.Contains(conditions, "type: Ready") {
		t.Errorf("the Bucket is not ready: %s", conditions)
	}
	block, err := bed.S3().GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: &name})
	if err != nil {
		t.Fatal(err)
	}
	if c := block.PublicAccessBlockConfiguration; !*c.BlockPublicAcls || !*c.BlockPublicPolicy || !*c.IgnorePublicAcls || !*c.RestrictPublicBuckets {
		t.Errorf("the bucket may be made public: %+v", c)
	}
	encryption, err := bed.S3().GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: &name})
	if err != nil {
		t.Fatal(err)
	}
	if rule := encryption.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault; rule.SSEAlgorithm != "AES256" {
		t.Errorf("the bucket is encrypted by %q", rule.SSEAlgorithm)
	}
	owners, err := bed.S3().GetBucketOwnershipControls(t.Context(), &s3.GetBucketOwnershipControlsInput{Bucket: &name})
	if err != nil || owners.OwnershipControls.Rules[0].ObjectOwnership != "BucketOwnerEnforced" {
		t.Errorf("ownership of objects: %+v, %v", owners, err)
	}
	policy, err := bed.S3().GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &name})
	if err != nil || !strings.Contains(*policy.Policy, `"aws:SecureTransport":"false"`) {
		t.Errorf("the bucket is not for TLS only: %+v, %v", policy, err)
	}
	place, err := bed.S3().GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: &name})
	if err != nil || string(place.LocationConstraint) != testbed.Region {
		t.Errorf("the bucket is in %+v, %v", place, err)
	}
	if have, want := bucketTags(t, bed, name), ownership(bed, namespace, clusterID); !maps.Equal(have, want) {
		t.Errorf("tags of the bucket %v, want %v", have, want)
	}
}

// bucketTags are the bucket's tags, without those the controller adds.
func bucketTags(t *testing.T, bed *testbed.Bed, name string) map[string]string {
	t.Helper()
	list, err := bed.S3().GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: aws.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]string{}
	for _, tag := range list.TagSet {
		if !slices.Contains([]string{"services.k8s.aws/controller-version", "services.k8s.aws/namespace"}, *tag.Key) {
			tags[*tag.Key] = *tag.Value
		}
	}
	return tags
}
