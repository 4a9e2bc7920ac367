package check

import (
	"context"
	"errors"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
)

// s3Refused is the finding of a question that S3 did not answer.
func s3Refused(err error, action, would string) Finding {
	switch {
	case errors.Is(err, live.ErrNoAWS):
		return Leave("there are no AWS credentials")
	case awserr.Denied(err):
		return Unseen(action+" on the bucket", would)
	}
	return Fail(err)
}

// public looks at the object, which everybody here may read, and at S3. What the
// object does not state the controller takes off the bucket (FACTS 0.2).
func (b bucketLook) public(ctx context.Context, object *unstructured.Unstructured) Finding {
	if missing := unstated(object); len(missing) > 0 {
		return Refuse(
			"Bucket "+object.GetName()+" does not block public access: "+strings.Join(missing, ", "),
			"what spec.publicAccessBlock does not state as true the controller takes off the bucket, so that one careless policy or ACL makes its data public",
			b.again(),
		)
	}
	access, err := b.PublicAccess(ctx)
	if err != nil {
		return s3Refused(err, bucket.ActionPublicAccess, "whether S3 blocks public access to the bucket")
	}
	if open := access.Open(); len(open) > 0 {
		return Refuse(
			"S3 does not block public access to bucket "+b.name()+": "+strings.Join(open, ", "),
			"the object states it, so somebody changed the bucket itself; the controller puts it back only every ten hours",
			advice.Command("aws s3api put-public-access-block", "--bucket", b.name(),
				"--public-access-block-configuration", "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"),
		)
	}
	return Pass()
}

// unstated are the fields of the object's publicAccessBlock that are not true.
func unstated(object *unstructured.Unstructured) []string {
	var missing []string
	for _, field := range (bucket.PublicAccess{}).Open() {
		on, _, _ := unstructured.NestedBool(object.Object, "spec", "publicAccessBlock", field)
		if !on {
			missing = append(missing, "spec.publicAccessBlock."+field)
		}
	}
	return missing
}

// tls wants the statement that install puts into the bucket's policy. A policy
// may have others beside it.
func (b bucketLook) tls(ctx context.Context) Finding {
	policy, err := b.BucketPolicy(ctx)
	if err != nil {
		return s3Refused(err, bucket.ActionPolicy, "whether the bucket's policy refuses requests without TLS")
	}
	if why := iam.PlainHTTP(policy, "arn:"+b.Facts.Partition.Value+":s3:::"+b.name()); why != "" {
		return Refuse(
			"bucket "+b.name()+" takes requests without TLS", why,
			b.anew(),
		)
	}
	return Pass()
}

// settings are of less weight than the rest: S3 encrypts in any case, and who
// owns objects matters only where others may write.
func (b bucketLook) settings(ctx context.Context) Finding {
	encryption, err := b.Encryption(ctx)
	if err != nil {
		return s3Refused(err, bucket.ActionEncryption, "how the bucket is encrypted")
	}
	ownership, err := b.Ownership(ctx)
	if err != nil {
		return s3Refused(err, bucket.ActionOwnership, "who owns what is in the bucket")
	}
	return judgeSettings(b.name(), b.anew(), encryption, ownership)
}

func judgeSettings(name, restore string, encryption bucket.Encryption, ownership string) Finding {
	switch {
	case encryption.Algorithm == "":
		return Warn("bucket "+name+" has no default encryption", "install states SSE-S3 (AES256)", restore)
	case encryption.Algorithm != "AES256":
		return Warn(
			"bucket "+name+" is encrypted with "+encryption.Algorithm+", and not with SSE-S3 (AES256)",
			"with a key of your own in KMS the app's role needs kms:GenerateDataKey and kms:Decrypt on it, which install does not give",
			restore+"\nto keep the key, give it in the Bucket and the rights in a policy of your own (--policy-arn)",
		)
	case ownership != "BucketOwnerEnforced":
		if ownership == "" {
			ownership = "not set"
		}
		return Warn(
			"who owns what is in bucket "+name+" is "+ownership+", and not BucketOwnerEnforced",
			"access control lists count there, and objects that another account writes belong to it", restore,
		)
	}
	return Pass()
}
