package bucket

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
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
	add := func(name string, blocked bool) {
		if !blocked {
			open = append(open, name)
		}
	}
	add("blockPublicACLs", p.BlockPublicACLs)
	add("ignorePublicACLs", p.IgnorePublicACLs)
	add("blockPublicPolicy", p.BlockPublicPolicy)
	add("restrictPublicBuckets", p.RestrictPublicBuckets)
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
		return PublicAccess{}, unset(t, err, ActionPublicAccess, "NoSuchPublicAccessBlockConfiguration")
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
		return "", unset(t, err, ActionPolicy, "NoSuchBucketPolicy")
	}
	return aws.ToString(out.Policy), nil
}

// Encryption reads the default encryption.
func (c *Client) Encryption(ctx context.Context, t Target) (Encryption, error) {
	out, err := c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: t.bucket(), ExpectedBucketOwner: t.owner()}, t.at)
	if err != nil {
		return Encryption{}, unset(t, err, ActionEncryption, "ServerSideEncryptionConfigurationNotFoundError")
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
		return "", unset(t, err, ActionOwnership, "OwnershipControlsNotFoundError")
	}
	if out.OwnershipControls != nil && len(out.OwnershipControls.Rules) > 0 {
		return string(out.OwnershipControls.Rules[0].ObjectOwnership), nil
	}
	return "", nil
}

// unset is nil for the code by which S3 says that a setting was never made. A
// refusal keeps the action, for who tells of it.
func unset(t Target, err error, action, code string) error {
	if awserr.Code(err) == code {
		return nil
	}
	return fmt.Errorf("%s: %w", action, explain(t, err, action, t.arn()))
}

// Settings are what S3 says of a bucket.
type Settings struct {
	Public     PublicAccess
	Policy     string
	Encryption Encryption
	Ownership  string
	Tags       map[string]string
}

// asked are the settings that the spec of an ACK Bucket states, as its CRD calls
// them.
type asked struct {
	PublicAccessBlock *PublicAccess `json:"publicAccessBlock"`
	Encryption        *struct {
		Rules []struct {
			Default struct {
				Algorithm string `json:"sseAlgorithm"`
				Key       string `json:"kmsMasterKeyID"`
			} `json:"applyServerSideEncryptionByDefault"`
		} `json:"rules"`
	} `json:"encryption"`
	OwnershipControls *struct {
		Rules []struct {
			ObjectOwnership string `json:"objectOwnership"`
		} `json:"rules"`
	} `json:"ownershipControls"`
	Policy  string `json:"policy"`
	Tagging *struct {
		TagSet []struct {
			Key   string `json:"key"`
			Value string `json:"value"`
		} `json:"tagSet"`
	} `json:"tagging"`
}

// Differ names the settings that the spec of a Bucket resource states and S3 does
// not have, and those that are not compared: nothing is known of them. Tags beside
// those of the spec are no difference: ACK adds its own.
func (s Settings) Differ(spec map[string]any) []string {
	var want asked
	if data, err := json.Marshal(spec); err != nil || json.Unmarshal(data, &want) != nil {
		return []string{"spec"}
	}
	differ := slices.DeleteFunc(slices.Sorted(maps.Keys(spec)), func(key string) bool {
		// ACK fills in abac as S3 has it.
		return slices.Contains([]string{"name", "abac", "publicAccessBlock", "encryption", "ownershipControls", "tagging", "policy"}, key)
	})
	add := func(name string, same bool) {
		if !same {
			differ = append(differ, name)
		}
	}
	add("publicAccessBlock", want.PublicAccessBlock == nil || *want.PublicAccessBlock == s.Public)
	add("encryption", want.encrypted(s.Encryption))
	add("ownershipControls", want.owned(s.Ownership))
	add("tagging", want.tagged(s.Tags))
	add("policy", want.Policy == "" || sameJSON(want.Policy, s.Policy))
	return differ
}

func (a asked) encrypted(is Encryption) bool {
	if a.Encryption == nil || len(a.Encryption.Rules) == 0 {
		return true
	}
	rule := a.Encryption.Rules[0].Default
	return rule.Algorithm == is.Algorithm && (rule.Key == "" || rule.Key == is.Key)
}

func (a asked) owned(is string) bool {
	return a.OwnershipControls == nil || len(a.OwnershipControls.Rules) == 0 || a.OwnershipControls.Rules[0].ObjectOwnership == is
}

func (a asked) tagged(is map[string]string) bool {
	if a.Tagging == nil {
		return true
	}
	for _, tag := range a.Tagging.TagSet {
		if value, has := is[tag.Key]; !has || value != tag.Value {
			return false
		}
	}
	return true
}

// sameJSON compares documents whatever their white space and order of keys.
func sameJSON(one, other string) bool {
	var a, b any
	if json.Unmarshal([]byte(one), &a) != nil || json.Unmarshal([]byte(other), &b) != nil {
		return false
	}
	return reflect.DeepEqual(a, b)
}
