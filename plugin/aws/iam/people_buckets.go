package iam

import "github.com/oc-ostoy-s3/oc-ostoy-s3/render"

// verifyPrefix is below what verify writes; package verify has it as its Prefix.
const verifyPrefix = "ostoy-s3-verify/"

// tidiesUp is the statement that is left where DeleteData is taken out.
const tidiesUp = "VerifyTidiesUp"

// buckets allow looking at S3 buckets and removing them. Reading has no condition
// on the account: for a bucket that does not exist the key has no value, and S3
// would answer AccessDenied where it is to be learned that the name is free.
func (p people) buckets(names Strings) []Statement {
	buckets := p.below(names, "")
	remove := Strings{"s3:DeleteObject", "s3:DeleteObjectVersion"}
	return []Statement{
		allow("ReadBuckets", Strings{
			"s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketTagging",
			"s3:GetEncryptionConfiguration", "s3:ListBucket", "s3:ListBucketVersions",
		}, buckets),
		allow("RemoveBuckets", Strings{"s3:DeleteBucket"}, buckets, inAccount(p.account)),
		allow(tidiesUp, remove, p.below(names, "/"+verifyPrefix+"*"), inAccount(p.account)),
		allow("DeleteData", remove, p.below(names, "/*"), inAccount(p.account)),
	}
}

// below are the ARNs of buckets, each with a suffix.
func (p people) below(buckets Strings, suffix string) (arns Strings) {
	for _, name := range buckets {
		arns = append(arns, render.BucketARN(p.partition, name)+suffix)
	}
	return arns
}

// adoptedSettings allows reading what a bucket that is taken over would lose. Learners of a
// class take none over, and their policies have no room for it.
func (p people) adoptedSettings(buckets Strings) Statement {
	return allow("ReadAdoptedBuckets", Strings{
		"s3:GetAccelerateConfiguration", "s3:GetAnalyticsConfiguration", "s3:GetBucketAcl", "s3:GetBucketCORS",
		"s3:GetBucketLogging", "s3:GetBucketNotification", "s3:GetBucketObjectLockConfiguration",
		"s3:GetBucketRequestPayment", "s3:GetBucketVersioning", "s3:GetBucketWebsite",
		"s3:GetIntelligentTieringConfiguration", "s3:GetInventoryConfiguration", "s3:GetLifecycleConfiguration",
		"s3:GetMetricsConfiguration", "s3:GetReplicationConfiguration",
	}, p.below(buckets, ""))
}
