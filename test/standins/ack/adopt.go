package ack

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// called is the name of the S3 bucket: the spec's, or, of a Bucket that adopts and
// is not managed yet, the one of the annotation.
func (b *bucket) called() string {
	name, _, _ := unstructured.NestedString(b.object.Object, "spec", "name")
	annotations := b.object.GetAnnotations()
	if annotations[adoptionKey] == "" {
		return name
	}
	var fields struct {
		Name string `json:"name"`
	}
	if json.Unmarshal([]byte(annotations[fieldsKey]), &fields) == nil && fields.Name != "" {
		return fields.Name
	}
	return name
}

// adopt takes charge of an S3 bucket that exists. With "adopt" the spec is filled
// in from it; with "adopt-or-create" the S3 bucket is changed to what the spec says.
func (b *bucket) adopt(ctx context.Context, policy string) error {
	b.adopted = true
	annotations := b.object.GetAnnotations()
	annotations[adoptedKey] = "true"
	b.object.SetAnnotations(annotations)
	if policy == "adopt" {
		if err := b.fillIn(ctx); err != nil {
			return err
		}
	}
	return b.setFinalizer(ctx, true)
}

// fillIn makes the spec what the S3 bucket has.
func (b *bucket) fillIn(ctx context.Context) error {
	spec := map[string]any{"name": b.name}
	for _, read := range []func(context.Context, map[string]any) error{b.readPolicy, b.readAccessBlock, b.readTags, b.readStated, b.readRest} {
		if err := read(ctx, spec); err != nil {
			return err
		}
	}
	return unstructured.SetNestedMap(b.object.Object, spec, "spec")
}

func (b *bucket) readPolicy(ctx context.Context, spec map[string]any) error {
	found, err := b.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &b.name})
	if err != nil {
		return unless(err, "NoSuchBucketPolicy")
	}
	spec["policy"] = aws.ToString(found.Policy)
	return nil
}

func (b *bucket) readAccessBlock(ctx context.Context, spec map[string]any) error {
	found, err := b.s3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &b.name})
	if err != nil {
		return unless(err, "NoSuchPublicAccessBlockConfiguration")
	}
	block := found.PublicAccessBlockConfiguration
	spec["publicAccessBlock"] = map[string]any{
		"blockPublicACLs": aws.ToBool(block.BlockPublicAcls), "blockPublicPolicy": aws.ToBool(block.BlockPublicPolicy),
		"ignorePublicACLs": aws.ToBool(block.IgnorePublicAcls), "restrictPublicBuckets": aws.ToBool(block.RestrictPublicBuckets),
	}
	return nil
}

func (b *bucket) readTags(ctx context.Context, spec map[string]any) error {
	found, err := b.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &b.name})
	if err != nil {
		return unless(err, "NoSuchTagSet")
	}
	var set []any
	for _, tag := range found.TagSet {
		set = append(set, map[string]any{"key": aws.ToString(tag.Key), "value": aws.ToString(tag.Value)})
	}
	spec["tagging"] = map[string]any{"tagSet": set}
	return nil
}

// readStated reads encryption and ownership, which every spec states in the end.
func (b *bucket) readStated(ctx context.Context, spec map[string]any) error {
	if found, err := b.s3.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &b.name}); err == nil {
		var rules []any
		for _, rule := range found.ServerSideEncryptionConfiguration.Rules {
			standard := map[string]any{}
			if by := rule.ApplyServerSideEncryptionByDefault; by != nil {
				standard["sseAlgorithm"] = string(by.SSEAlgorithm)
				if by.KMSMasterKeyID != nil {
					standard["kmsMasterKeyID"] = *by.KMSMasterKeyID
				}
			}
			rules = append(rules, map[string]any{
				"applyServerSideEncryptionByDefault": standard, "bucketKeyEnabled": aws.ToBool(rule.BucketKeyEnabled),
			})
		}
		spec["encryption"] = map[string]any{"rules": rules}
	} else if unless(err, "ServerSideEncryptionConfigurationNotFoundError") != nil {
		return err
	}
	found, err := b.s3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &b.name})
	if err != nil {
		return unless(err, "OwnershipControlsNotFoundError")
	}
	var rules []any
	for _, rule := range found.OwnershipControls.Rules {
		rules = append(rules, map[string]any{"objectOwnership": string(rule.ObjectOwnership)})
	}
	spec["ownershipControls"] = map[string]any{"rules": rules}
	return nil
}

// readRest reads what is spelt in the spec as in S3.
func (b *bucket) readRest(ctx context.Context, spec map[string]any) error {
	if found, err := b.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &b.name}); err != nil {
		return err
	} else if found.Status != "" {
		spec["versioning"] = map[string]any{"status": string(found.Status)}
	}
	if found, err := b.s3.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &b.name}); err == nil {
		spec["lifecycle"] = spelt(map[string]any{"rules": found.Rules})
	} else if unless(err, "NoSuchLifecycleConfiguration") != nil {
		return err
	}
	if found, err := b.s3.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: &b.name}); err == nil {
		spec["cors"] = spelt(map[string]any{"corsRules": found.CORSRules})
	} else if unless(err, "NoSuchCORSConfiguration") != nil {
		return err
	}
	return nil
}

// unless is the error, but for one code.
func unless(err error, code string) error {
	if hasCode(err, code) {
		return nil
	}
	return err
}

// spelt is a document of S3's with the keys of a spec: the first letter is small,
// and what is not set is absent.
func spelt(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	var plain any
	if json.Unmarshal(text, &plain) != nil {
		return nil
	}
	return small(plain)
}

func small(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, field := range value {
			name := strings.ToLower(key[:1]) + key[1:]
			if key == "ID" {
				name = "id"
			}
			if field != nil {
				out[name] = small(field)
			}
		}
		return out
	case []any:
		for i := range value {
			value[i] = small(value[i])
		}
	case float64:
		return int64(value)
	}
	return value
}
