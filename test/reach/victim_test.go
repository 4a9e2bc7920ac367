package reach

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// victim makes the S3 bucket of another team, with everything that a Bucket could
// take from it.
func victim(t *testing.T, bed *testbed.Bed, name string) {
	t.Helper()
	client := bed.S3()
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::` + name + `/*"}]}`
	yes := aws.Bool(true)
	for _, step := range []func() error{
		func() error {
			_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{
				Bucket:                    &name,
				CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: testbed.Region},
			})
			return err
		},
		func() error {
			_, err := client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &name, Policy: &policy})
			return err
		},
		func() error {
			_, err := client.PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{
				Bucket:                         &name,
				PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicAcls: yes, BlockPublicPolicy: yes, IgnorePublicAcls: yes, RestrictPublicBuckets: yes},
			})
			return err
		},
		func() error {
			_, err := client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
			return err
		},
		func() error {
			_, err := client.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{Bucket: &name, LifecycleConfiguration: &types.BucketLifecycleConfiguration{
				Rules: []types.LifecycleRule{{ID: aws.String("archive"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("old/")}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(3650)}}},
			}})
			return err
		},
		func() error {
			_, err := client.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: &name, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("team"), Value: aws.String("finance")}}}})
			return err
		},
		func() error {
			_, err := client.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: &name, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
				Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String("alias/finance")}}},
			}})
			return err
		},
		func() error {
			_, err := client.PutBucketOwnershipControls(t.Context(), &s3.PutBucketOwnershipControlsInput{Bucket: &name, OwnershipControls: &types.OwnershipControls{
				Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerPreferred}},
			}})
			return err
		},
		func() error {
			_, err := client.PutBucketCors(t.Context(), &s3.PutBucketCorsInput{Bucket: &name, CORSConfiguration: &types.CORSConfiguration{
				CORSRules: []types.CORSRule{{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{"https://finance.example.com"}}},
			}})
			return err
		},
		func() error {
			_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &name, Key: aws.String("report.txt"), Body: strings.NewReader("42")})
			return err
		},
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

// look is all there is of an S3 bucket, by what S3 calls it; what there is not has
// the code of S3's error.
func look(t *testing.T, bed *testbed.Bed, name string) map[string]string {
	t.Helper()
	client, ctx, seen := bed.S3(), t.Context(), map[string]string{}
	note := func(what string, answer any, err error) {
		if err != nil {
			seen[what] = err.Error()[strings.LastIndex(err.Error(), "api error"):]
			return
		}
		text, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		var plain map[string]any
		if err := json.Unmarshal(text, &plain); err != nil {
			t.Fatal(err)
		}
		delete(plain, "ResultMetadata")
		text, _ = json.Marshal(plain)
		seen[what] = string(text)
	}
	policy, err := client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &name})
	note("policy", policy, err)
	block, err := client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &name})
	note("public access block", block, err)
	versioning, err := client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &name})
	note("versioning", versioning, err)
	lifecycle, err := client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &name})
	note("lifecycle", lifecycle, err)
	tags, err := client.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &name})
	note("tags", tags, err)
	encryption, err := client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &name})
	note("encryption", encryption, err)
	ownership, err := client.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &name})
	note("ownership controls", ownership, err)
	cors, err := client.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: &name})
	note("CORS", cors, err)
	website, err := client.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: &name})
	note("website", website, err)
	acl, err := client.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: &name})
	note("ACL", acl, err)
	versions, err := client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &name})
	note("objects", versions, err)
	object, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &name, Key: aws.String("report.txt")})
	if err != nil {
		note("object", nil, err)
		return seen
	}
	defer object.Body.Close()
	content, err := io.ReadAll(object.Body)
	if err != nil {
		t.Fatal(err)
	}
	object.Body, object.ResultMetadata = nil, middleware.Metadata{}
	note("object", object, nil)
	seen["content"] = string(content)
	return seen
}

// changed names what is no longer as it was.
func changed(before, after map[string]string) []string {
	var some []string
	for _, what := range slices.Sorted(maps.Keys(before)) {
		if before[what] != after[what] {
			some = append(some, what)
		}
	}
	return some
}

// wantSame wants an S3 bucket to be as it was, byte for byte.
func wantSame(t *testing.T, bed *testbed.Bed, name string, before map[string]string) {
	t.Helper()
	after := look(t, bed, name)
	for _, what := range changed(before, after) {
		t.Errorf("%s of %s was %s and is %s", what, name, before[what], after[what])
	}
}
