package bucket

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
)

// The IAM actions that reading a bucket's settings takes. S3's operations are
// called otherwise (Service Authorization Reference, Amazon S3).
const (
	ActionPublicAccess = "s3:GetBucketPublicAccessBlock"
	ActionPolicy       = "s3:GetBucketPolicy"
	ActionEncryption   = "s3:GetEncryptionConfiguration"
	ActionOwnership    = "s3:GetBucketOwnershipControls"
)

// PublicAccess is a bucket's own Block Public Access. That of the account is not
// in it.
type PublicAccess struct {
	BlockPublicACLs       bool `json:"blockPublicACLs"`
	IgnorePublicACLs      bool `json:"ignorePublicACLs"`
	BlockPublicPolicy     bool `json:"blockPublicPolicy"`
	RestrictPublicBuckets bool `json:"restrictPublicBuckets"`
}

// Open names what is not blocked, as the fields are called in ACK's Bucket.
func (p PublicAccess) Open() []string {
	var open []string
	for _, one := range []struct {
		name string
		on   bool
	}{
		{"blockPublicACLs", p.BlockPublicACLs},
		{"ignorePublicACLs", p.IgnorePublicACLs},
		{"blockPublicPolicy", p.BlockPublicPolicy},
		{"restrictPublicBuckets", p.RestrictPublicBuckets},
	} {
		if !one.on {
			open = append(open, one.name)
		}
	}
	return open
}

// Encryption is how new objects are encrypted where nobody asks for anything
// else.
type Encryption struct {
	Algorithm string `json:"algorithm,omitempty"` // AES256, aws:kms, aws:kms:dsse; "" is none
	Key       string `json:"key,omitempty"`       // of KMS
}

// PublicAccess reads Block Public Access; a bucket without it blocks nothing.
// Errors are explained; a refusal is one for which awserr.Denied holds.
func (c *Client) PublicAccess(ctx context.Context, t Target) (PublicAccess, error) {
	out, err := c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
	if err != nil {
		return PublicAccess{}, t.unset(err, ActionPublicAccess, "NoSuchPublicAccessBlockConfiguration")
	}
	p := PublicAccess{}
	if b := out.PublicAccessBlockConfiguration; b != nil {
		p.BlockPublicACLs, p.IgnorePublicACLs = aws.ToBool(b.BlockPublicAcls), aws.ToBool(b.IgnorePublicAcls)
		p.BlockPublicPolicy, p.RestrictPublicBuckets = aws.ToBool(b.BlockPublicPolicy), aws.ToBool(b.RestrictPublicBuckets)
	}
	return p, nil
}

// Policy reads the bucket policy, "" if there is none.
func (c *Client) Policy(ctx context.Context, t Target) (string, error) {
	out, err := c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
	if err != nil {
		return "", t.unset(err, ActionPolicy, "NoSuchBucketPolicy")
	}
	return aws.ToString(out.Policy), nil
}

// Encryption reads the default encryption.
func (c *Client) Encryption(ctx context.Context, t Target) (Encryption, error) {
	out, err := c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
	if err != nil {
		return Encryption{}, t.unset(err, ActionEncryption, "ServerSideEncryptionConfigurationNotFoundError")
	}
	if out.ServerSideEncryptionConfiguration != nil {
		for _, rule := range out.ServerSideEncryptionConfiguration.Rules {
			if d := rule.ApplyServerSideEncryptionByDefault; d != nil {
				return Encryption{Algorithm: string(d.SSEAlgorithm), Key: aws.ToString(d.KMSMasterKeyID)}, nil
			}
		}
	}
	return Encryption{}, nil
}

// Ownership reads who owns objects: BucketOwnerEnforced switches ACLs off; "" is
// a bucket without a rule, where ACLs count.
func (c *Client) Ownership(ctx context.Context, t Target) (string, error) {
	out, err := c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
	if err != nil {
		return "", t.unset(err, ActionOwnership, "OwnershipControlsNotFoundError")
	}
	if out.OwnershipControls != nil && len(out.OwnershipControls.Rules) > 0 {
		return string(out.OwnershipControls.Rules[0].ObjectOwnership), nil
	}
	return "", nil
}

// unset is nil for the code by which S3 says that a setting was never made. A
// refusal keeps the action, for who tells of it.
func (t Target) unset(err error, action, code string) error {
	if awserr.Code(err) == code {
		return nil
	}
	return fmt.Errorf("%s: %w", action, t.explain(err, action, t.arn()))
}
