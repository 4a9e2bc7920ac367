package check_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func bucketFaults() []fault {
	return append(append(nameFaults(), objectFaults()...), protectionFaults()...)
}

// bucketWideFaults take rights from the user, which is so for the whole bed.
func bucketWideFaults() []fault {
	denied := func(action string) fault {
		return fault{check: "bucket-settings", status: "not allowed", says: action, make: func(t *testing.T, s *scene) {
			must(t, s.AWS.Deny(t.Context(), action))
			t.Cleanup(func() { must(t, s.AWS.Reset(context.WithoutCancel(t.Context()))) })
		}}
	}
	return []fault{
		denied("s3:GetBucketPublicAccessBlock"),
		denied("s3:GetBucketPolicy"),
		denied("s3:GetEncryptionConfiguration"),
	}
}

func nameFaults() []fault {
	make := func(t *testing.T, s *scene, client *s3.Client) {
		must(t, s.NewNamespace(t.Context(), s.Namespace))
		_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{
			Bucket:                    aws.String(s.bucket()),
			CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: testbed.Region},
		})
		must(t, err)
	}
	return []fault{
		{check: "bucket-name-taken", says: "another AWS account", bare: true, flags: []string{"--pre"}, make: func(t *testing.T, s *scene) {
			other, err := s.OtherS3(t.Context(), "222222222222")
			must(t, err)
			make(t, s, other)
		}},
		{check: "bucket-name-taken", says: "is not ours", bare: true, flags: []string{"--pre"}, make: func(t *testing.T, s *scene) {
			make(t, s, s.S3())
			s.tag(t, "team", "green")
		}},
		// A cluster that was rebuilt has another issuer.
		{check: "bucket-name-taken", says: "issuer https://old.example.com", make: func(t *testing.T, s *scene) {
			s.tag(t, "app.kubernetes.io/managed-by", "ostoy-s3", "ostoy-s3/namespace", s.Namespace, "ostoy-s3/issuer", "https://old.example.com")
		}},
		{check: "bucket-object", says: "there is no Bucket", make: func(t *testing.T, s *scene) {
			s.kubectl(t, "delete", bucketKind, s.bucket())
		}},
		{check: "bucket-object", says: "elsewhere", make: func(t *testing.T, s *scene) {
			s.kubectl(t, "delete", bucketKind, s.bucket())
			must(t, s.Apply(t.Context(), `{apiVersion: s3.services.k8s.aws/v1alpha1, kind: Bucket, metadata: {name: `+s.bucket()+`, namespace: `+s.Namespace+
				`, annotations: {services.k8s.aws/deletion-policy: retain}}, spec: {name: `+s.Namespace+`-elsewhere}}`))
		}},
		{check: "bucket-reach", status: "warning", says: "-twin/twin", make: func(t *testing.T, s *scene) {
			must(t, s.NewNamespace(t.Context(), s.Namespace+"-twin"))
			twin := s.object(t, bucketResource(), s.bucket())
			twin.SetNamespace(s.Namespace + "-twin")
			twin.SetName("twin")
			for _, field := range []string{"resourceVersion", "uid", "managedFields", "finalizers", "creationTimestamp", "generation"} {
				delete(twin.Object["metadata"].(map[string]any), field)
			}
			delete(twin.Object, "status")
			text, err := twin.MarshalJSON()
			must(t, err)
			must(t, s.Apply(t.Context(), string(text)))
		}},
		{check: "bucket-reach", status: "warning", says: "/reaching (S3 bucket finance-of-", make: func(t *testing.T, s *scene) {
			must(t, s.Apply(t.Context(), `{apiVersion: s3.services.k8s.aws/v1alpha1, kind: Bucket, metadata: {name: reaching, namespace: `+s.Namespace+
				`, annotations: {services.k8s.aws/deletion-policy: retain}}, spec: {name: finance-of-`+s.Namespace+`}}`))
		}},
		{check: "bucket-reach", status: "not allowed", says: "Bucket of another project", admin: true},
	}
}

// tag gives the bucket these tags, and no others.
func (s *scene) tag(t *testing.T, pairs ...string) {
	t.Helper()
	tagging := &types.Tagging{}
	for n := 0; n < len(pairs); n += 2 {
		tagging.TagSet = append(tagging.TagSet, types.Tag{Key: aws.String(pairs[n]), Value: aws.String(pairs[n+1])})
	}
	_, err := s.S3().PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: aws.String(s.bucket()), Tagging: tagging})
	must(t, err)
}

// conditions writes what the real controller says of a bucket that it cannot make.
func (s *scene) conditions(t *testing.T, code, operation string) {
	t.Helper()
	s.status(t, bucketKind, s.bucket(), strings.NewReplacer("CODE", code, "OPERATION", operation).Replace(`{"conditions":[
		{"type":"ACK.Recoverable","status":"True","message":"api error CODE: refused"},
		{"type":"ACK.ResourceSynced","status":"Unknown","message":"Unable to determine if desired resource state matches latest observed state","reason":"operation error S3: OPERATION, https response error StatusCode: 403, api error CODE: refused"},
		{"type":"Ready","status":"False","reason":"ACK.Recoverable","message":"api error CODE: refused"}]}`))
}

func objectFaults() []fault {
	return []fault{
		{check: "bucket-object", says: "BucketNotEmpty", make: func(t *testing.T, s *scene) {
			s.annotate(t, "services.k8s.aws/deletion-policy=delete")
			_, err := s.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(s.bucket()), Key: aws.String("kept"), Body: strings.NewReader("x")})
			must(t, err)
			s.kubectl(t, "delete", bucketKind, s.bucket(), "--wait=false")
		}},
		{check: "bucket-object", says: "eu-west-1", make: func(t *testing.T, s *scene) {
			s.annotate(t, "services.k8s.aws/region=eu-west-1")
		}},
		{check: "bucket-object", says: "222222222222", admin: true, make: func(t *testing.T, s *scene) {
			s.status(t, bucketKind, s.bucket(), `{"ackResourceMetadata":{"ownerAccountID":"222222222222"}}`)
		}},
		{check: "bucket-synced", says: "s3:PutBucketPublicAccessBlock", make: func(t *testing.T, s *scene) {
			s.conditions(t, "AccessDenied", "PutPublicAccessBlock")
		}},
		{check: "bucket-synced", says: "BucketAlreadyExists", admin: true, make: func(t *testing.T, s *scene) {
			s.conditions(t, "BucketAlreadyExists", "CreateBucket")
		}},
		{check: "bucket-synced", says: "no controller has looked at it", make: func(t *testing.T, s *scene) {
			s.status(t, bucketKind, s.bucket(), `{"conditions":null,"ackResourceMetadata":null}`)
		}},
		{check: "bucket-gone", make: func(t *testing.T, s *scene) {
			_, err := s.S3().DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(s.bucket())})
			must(t, err)
		}},
		{check: "bucket-object", says: "does not outlive its object", status: "warning", make: func(t *testing.T, s *scene) {
			s.annotate(t, "services.k8s.aws/deletion-policy=delete")
		}},
		{check: "bucket-object", says: "is read-only for the controller", status: "warning", admin: true, make: func(t *testing.T, s *scene) {
			s.annotate(t, "services.k8s.aws/read-only=true")
		}},
	}
}

func protectionFaults() []fault {
	return []fault{
		{check: "bucket-settings", says: "S3 does not block", make: func(t *testing.T, s *scene) {
			_, err := s.S3().DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: aws.String(s.bucket())})
			must(t, err)
		}},
		{check: "bucket-settings", says: "spec.publicAccessBlock.blockPublicPolicy", admin: true, make: func(t *testing.T, s *scene) {
			s.patch(t, bucketKind, s.bucket(), `{"spec":{"publicAccessBlock":null}}`)
		}},
		{check: "bucket-settings", says: "takes requests without TLS", make: func(t *testing.T, s *scene) {
			_, err := s.S3().DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String(s.bucket())})
			must(t, err)
		}},
		{check: "bucket-settings", status: "warning", says: "BucketOwnerPreferred", make: func(t *testing.T, s *scene) {
			_, err := s.S3().PutBucketOwnershipControls(t.Context(), &s3.PutBucketOwnershipControlsInput{
				Bucket:            aws.String(s.bucket()),
				OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerPreferred}}},
			})
			must(t, err)
		}},
		{check: "bucket-settings", status: "warning", says: "kms:GenerateDataKey", make: func(t *testing.T, s *scene) {
			_, err := s.S3().PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{
				Bucket: aws.String(s.bucket()),
				ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
					ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String("alias/mine")},
				}}},
			})
			must(t, err)
		}},
		{check: "bucket-settings", says: "has lost the tags", status: "warning", make: func(t *testing.T, s *scene) {
			_, err := s.S3().DeleteBucketTagging(t.Context(), &s3.DeleteBucketTaggingInput{Bucket: aws.String(s.bucket())})
			must(t, err)
		}},
	}
}
