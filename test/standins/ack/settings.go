package ack

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// spec is the part of a Bucket's spec that the stand-in acts on.
type spec struct {
	PublicAccessBlock *struct {
		BlockPublicACLs       bool `json:"blockPublicACLs"`
		BlockPublicPolicy     bool `json:"blockPublicPolicy"`
		IgnorePublicACLs      bool `json:"ignorePublicACLs"`
		RestrictPublicBuckets bool `json:"restrictPublicBuckets"`
	} `json:"publicAccessBlock"`
	Encryption *struct {
		Rules []struct {
			Default struct {
				Algorithm string `json:"sseAlgorithm"`
				KeyID     string `json:"kmsMasterKeyID"`
			} `json:"applyServerSideEncryptionByDefault"`
			BucketKey bool `json:"bucketKeyEnabled"`
		} `json:"rules"`
	} `json:"encryption"`
	OwnershipControls *struct {
		Rules []struct {
			ObjectOwnership string `json:"objectOwnership"`
		} `json:"rules"`
	} `json:"ownershipControls"`
	Policy  string `json:"policy"`
	Tagging struct {
		TagSet []struct {
			Key   string `json:"key"`
			Value string `json:"value"`
		} `json:"tagSet"`
	} `json:"tagging"`
	ACL        string `json:"acl"`
	Versioning *struct {
		Status string `json:"status"`
	} `json:"versioning"`
	// Spelt as S3 spells them but for the case of letters.
	Lifecycle      *types.BucketLifecycleConfiguration `json:"lifecycle"`
	CORS           *types.CORSConfiguration            `json:"cors"`
	Website        *types.WebsiteConfiguration         `json:"website"`
	Logging        *types.BucketLoggingStatus          `json:"logging"`
	Accelerate     *types.AccelerateConfiguration      `json:"accelerate"`
	RequestPayment *types.RequestPaymentConfiguration  `json:"requestPayment"`
	Notification   *types.NotificationConfiguration    `json:"notification"`
	Replication    *types.ReplicationConfiguration     `json:"replication"`
}

// sync makes the bucket's settings those of the spec; what the spec lacks is
// removed from the bucket or, where the real one does that, filled into the
// spec.
func (b *bucket) sync(ctx context.Context) error {
	fields, _, err := unstructured.NestedMap(b.object.Object, "spec")
	if err != nil {
		return err
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	var want spec
	if err := json.Unmarshal(text, &want); err != nil {
		return err
	}
	for _, put := range []func(context.Context, spec) error{
		b.putAccessBlock, b.putEncryption, b.putOwnership, b.putPolicy, b.putTags,
		b.putACL, b.putVersioning, b.putLifecycle, b.putCORS, b.putWebsite,
		b.putLogging, b.putAccelerate, b.putPayment, b.putNotification, b.putReplication,
	} {
		if err := put(ctx, want); err != nil {
			return err
		}
	}
	b.located()
	return b.initialize(ctx, want)
}

func (b *bucket) putAccessBlock(ctx context.Context, want spec) error {
	block := want.PublicAccessBlock
	if block == nil {
		_, err := b.s3.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: &b.name})
		return err
	}
	_, err := b.s3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
		Bucket: &b.name,
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: &block.BlockPublicACLs, BlockPublicPolicy: &block.BlockPublicPolicy,
			IgnorePublicAcls: &block.IgnorePublicACLs, RestrictPublicBuckets: &block.RestrictPublicBuckets,
		},
	})
	return err
}

func (b *bucket) putEncryption(ctx context.Context, want spec) error {
	if want.Encryption == nil {
		return nil
	}
	var rules []types.ServerSideEncryptionRule
	for _, rule := range want.Encryption.Rules {
		standard := &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryption(rule.Default.Algorithm)}
		if rule.Default.KeyID != "" {
			standard.KMSMasterKeyID = aws.String(rule.Default.KeyID)
		}
		rules = append(rules, types.ServerSideEncryptionRule{
			ApplyServerSideEncryptionByDefault: standard, BucketKeyEnabled: aws.Bool(rule.BucketKey),
		})
	}
	_, err := b.s3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{
		Bucket:                            &b.name,
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: rules},
	})
	return err
}

func (b *bucket) putOwnership(ctx context.Context, want spec) error {
	if want.OwnershipControls == nil {
		return nil
	}
	var rules []types.OwnershipControlsRule
	for _, rule := range want.OwnershipControls.Rules {
		rules = append(rules, types.OwnershipControlsRule{ObjectOwnership: types.ObjectOwnership(rule.ObjectOwnership)})
	}
	_, err := b.s3.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{
		Bucket: &b.name, OwnershipControls: &types.OwnershipControls{Rules: rules},
	})
	return err
}

func (b *bucket) putPolicy(ctx context.Context, want spec) error {
	if want.Policy == "" {
		_, err := b.s3.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &b.name})
		return err
	}
	_, err := b.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &b.name, Policy: &want.Policy})
	return err
}

// putTags writes the tags of the spec and the controller's own two, which
// never appear in the spec.
func (b *bucket) putTags(ctx context.Context, want spec) error {
	tags := []types.Tag{
		{Key: aws.String("services.k8s.aws/controller-version"), Value: aws.String("s3-v1.10.0")},
		{Key: aws.String("services.k8s.aws/namespace"), Value: aws.String(b.object.GetNamespace())},
	}
	for _, tag := range want.Tagging.TagSet {
		tags = append(tags, types.Tag{Key: aws.String(tag.Key), Value: aws.String(tag.Value)})
	}
	_, err := b.s3.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: &b.name, Tagging: &types.Tagging{TagSet: tags}})
	return err
}

// initialize fills what AWS chose into the spec: fields that are not in Git.
func (b *bucket) initialize(ctx context.Context, want spec) error {
	if want.Encryption != nil && want.OwnershipControls != nil {
		return nil
	}
	var failed error
	set := func(value []any, fields ...string) {
		failed = errors.Join(failed, unstructured.SetNestedSlice(b.object.Object, value, fields...))
	}
	if want.Encryption == nil {
		rule := map[string]any{
			"applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": "AES256"}, "bucketKeyEnabled": false,
		}
		set([]any{rule}, "spec", "encryption", "rules")
	}
	if want.OwnershipControls == nil {
		set([]any{map[string]any{"objectOwnership": "BucketOwnerEnforced"}}, "spec", "ownershipControls", "rules")
	}
	return errors.Join(failed, b.update(ctx))
}
