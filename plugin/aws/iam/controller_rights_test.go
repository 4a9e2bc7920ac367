package iam

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// callsByAction are the S3 calls of the controller's v1.10 (pkg/resource/bucket/hook.go) by the
// actions that they take: "API operations defined by Amazon S3" of the Service
// Authorization Reference, and for ABAC the API reference of the two calls.
func callsByAction() map[string]string {
	return map[string]string{
		"s3:GetBucketAbac":                      "GetBucketAbac",
		"s3:PutBucketABAC":                      "PutBucketAbac",
		"s3:GetAccelerateConfiguration":         "GetBucketAccelerateConfiguration",
		"s3:PutAccelerateConfiguration":         "PutBucketAccelerateConfiguration",
		"s3:GetBucketAcl":                       "GetBucketAcl",
		"s3:PutBucketAcl":                       "PutBucketAcl CreateBucket",
		"s3:GetAnalyticsConfiguration":          "GetBucketAnalyticsConfiguration ListBucketAnalyticsConfigurations",
		"s3:PutAnalyticsConfiguration":          "PutBucketAnalyticsConfiguration DeleteBucketAnalyticsConfiguration",
		"s3:GetBucketCORS":                      "GetBucketCors",
		"s3:PutBucketCORS":                      "PutBucketCors DeleteBucketCors",
		"s3:GetEncryptionConfiguration":         "GetBucketEncryption",
		"s3:PutEncryptionConfiguration":         "PutBucketEncryption DeleteBucketEncryption",
		"s3:GetIntelligentTieringConfiguration": "GetBucketIntelligentTieringConfiguration ListBucketIntelligentTieringConfigurations",
		"s3:PutIntelligentTieringConfiguration": "PutBucketIntelligentTieringConfiguration DeleteBucketIntelligentTieringConfiguration",
		"s3:GetInventoryConfiguration":          "GetBucketInventoryConfiguration ListBucketInventoryConfigurations",
		"s3:PutInventoryConfiguration":          "PutBucketInventoryConfiguration DeleteBucketInventoryConfiguration",
		"s3:GetLifecycleConfiguration":          "GetBucketLifecycleConfiguration",
		"s3:PutLifecycleConfiguration":          "PutBucketLifecycleConfiguration DeleteBucketLifecycle",
		"s3:GetBucketLogging":                   "GetBucketLogging",
		"s3:PutBucketLogging":                   "PutBucketLogging",
		"s3:GetMetricsConfiguration":            "GetBucketMetricsConfiguration ListBucketMetricsConfigurations",
		"s3:PutMetricsConfiguration":            "PutBucketMetricsConfiguration DeleteBucketMetricsConfiguration",
		"s3:GetBucketNotification":              "GetBucketNotificationConfiguration",
		"s3:PutBucketNotification":              "PutBucketNotificationConfiguration",
		"s3:GetBucketObjectLockConfiguration":   "GetObjectLockConfiguration",
		"s3:PutBucketObjectLockConfiguration":   "PutObjectLockConfiguration CreateBucket",
		"s3:GetBucketOwnershipControls":         "GetBucketOwnershipControls",
		"s3:PutBucketOwnershipControls":         "PutBucketOwnershipControls DeleteBucketOwnershipControls CreateBucket",
		"s3:GetBucketPolicy":                    "GetBucketPolicy",
		"s3:PutBucketPolicy":                    "PutBucketPolicy",
		"s3:DeleteBucketPolicy":                 "DeleteBucketPolicy",
		"s3:GetBucketPublicAccessBlock":         "GetPublicAccessBlock",
		"s3:PutBucketPublicAccessBlock":         "PutPublicAccessBlock DeletePublicAccessBlock",
		"s3:GetReplicationConfiguration":        "GetBucketReplication",
		"s3:PutReplicationConfiguration":        "PutBucketReplication DeleteBucketReplication",
		"s3:GetBucketRequestPayment":            "GetBucketRequestPayment",
		"s3:PutBucketRequestPayment":            "PutBucketRequestPayment",
		"s3:GetBucketTagging":                   "GetBucketTagging",
		"s3:PutBucketTagging":                   "PutBucketTagging DeleteBucketTagging",
		"s3:GetBucketVersioning":                "GetBucketVersioning",
		"s3:PutBucketVersioning":                "PutBucketVersioning CreateBucket",
		"s3:GetBucketWebsite":                   "GetBucketWebsite",
		"s3:PutBucketWebsite":                   "PutBucketWebsite",
		"s3:DeleteBucketWebsite":                "DeleteBucketWebsite",
		"s3:CreateBucket":                       "CreateBucket",
		"s3:DeleteBucket":                       "DeleteBucket",
		"s3:TagResource":                        "TagResource CreateBucket",
		"s3:UntagResource":                      "UntagResource",
		"s3:ListTagsForResource":                "ListTagsForResource",
	}
}

// TestControllerMayMakeItsCalls, on the app's buckets, on no others, and, but for
// making one, on none of another account.
func TestControllerMayMakeItsCalls(t *testing.T) {
	const account, stranger = "123456789012", "210987654321"
	for _, p := range []string{"aws", "aws-us-gov", "aws-cn", "aws-eusc"} {
		f := controllerFacts()
		f.Partition.Value = p
		policy := []Document{*desiredController(t, f, ControllerOptions{}).Policy}
		for action, calls := range callsByAction() {
			ours, other := render.BucketARN(p, "demo-bucket"), render.BucketARN(p, "payroll")
			if got := judge(policy, Right{action, ours}, account); got != Yes {
				t.Errorf("%s: %s on %s: %d, so no %s", p, action, ours, got, calls)
			}
			if got := judge(policy, Right{action, other}, account); got != No {
				t.Errorf("%s: %s on %s: %d", p, action, other, got)
			}
			foreign := No
			if action == "s3:CreateBucket" {
				foreign = Yes
			}
			if got := judge(policy, Right{action, ours}, stranger); got != foreign {
				t.Errorf("%s: %s on a bucket of another account: %d", p, action, got)
			}
		}
		if got := judge(policy, Right{"s3:ListAllMyBuckets", "*"}, account); got != Yes {
			t.Errorf("%s: ListBuckets: %d", p, got)
		}
	}
}

// A request that makes a bucket may be without aws:ResourceAccount: none of what it
// takes hangs on that key alone.
func TestMakingABucketNeedsNoOwner(t *testing.T) {
	policy := desiredController(t, controllerFacts(), ControllerOptions{}).Policy
	for action, calls := range callsByAction() {
		if !strings.Contains(" "+calls+" ", " CreateBucket ") {
			continue
		}
		without := *policy
		without.Statement = nil
		for _, s := range policy.Statement {
			if _, strict := s.Condition["StringEquals"]; !strict {
				without.Statement = append(without.Statement, s)
			}
		}
		if got := judge([]Document{without}, Right{action, render.BucketARN("aws", "demo-bucket")}, "123456789012"); got != Yes {
			t.Errorf("%s: %d", action, got)
		}
	}
}

// TestControllerMayNotTouchObjects: a star of a resource is any text, slashes
// included, so that the pattern covers objects whose names end like our buckets,
// and the actions alone keep them out.
func TestControllerMayNotTouchObjects(t *testing.T) {
	for _, pattern := range []string{AnyProjectPattern, "*", "demo*"} {
		policy := []Document{*desiredController(t, controllerFacts(), ControllerOptions{BucketPattern: pattern}).Policy}
		for _, action := range []string{
			"GetObject", "GetObjectVersion", "GetObjectAcl", "GetObjectTagging", "GetObjectAttributes", "GetObjectRetention", "GetObjectLegalHold",
			"PutObject", "PutObjectAcl", "PutObjectVersionAcl", "PutObjectTagging", "PutObjectRetention", "PutObjectLegalHold",
			"DeleteObject", "DeleteObjectVersion", "DeleteObjectTagging", "RestoreObject", "ReplicateObject", "ReplicateDelete",
			"AbortMultipartUpload", "ListMultipartUploadParts", "ObjectOwnerOverrideToBucketOwner",
			"BypassGovernanceRetention", "ListBucket", "ListBucketVersions", "ListBucketMultipartUploads",
		} {
			for _, resource := range []string{"demo-bucket", "demo-bucket/a", "demo-bucket/a-bucket"} {
				if got := judge(policy, Right{"s3:" + action, render.BucketARN("aws", resource)}, "123456789012"); got != No {
					t.Errorf("%s: s3:%s on %s: %d", pattern, action, resource, got)
				}
			}
		}
		for _, right := range []Right{{"iam:PassRole", "*"}, {"sts:AssumeRole", "*"}, {"s3:PutAccountPublicAccessBlock", "*"}, {"s3express:CreateBucket", "*"}} {
			if got := judge(policy, right, "123456789012"); got != No {
				t.Errorf("%s: %s: %d", pattern, right, got)
			}
		}
	}
}
