package health

import (
	"regexp"
	"strings"
)

// MissingAction is the IAM action that the controller was refused, as far as its
// Bucket's conditions or its log tell: AWS may name it, else the SDK names the operation.
// "" if neither does.
func MissingAction(text string) string {
	if m := regexp.MustCompile(`not authorized to perform:?\s+(s3:\w+)`).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	op := operation(text)
	if op == "" {
		return ""
	}
	return "s3:" + actionOf(op)
}

// operation is the S3 operation an SDK error names: "operation error S3:
// CreateBucket, https response error ...".
func operation(text string) string {
	_, rest, ok := strings.Cut(text, "operation error S3: ")
	if !ok {
		return ""
	}
	op, _, _ := strings.Cut(rest, ",")
	if !regexp.MustCompile(`^[A-Za-z]+$`).MatchString(op) {
		return ""
	}
	return op
}

// actionOf is the action that allows an operation, where it is called otherwise
// (Service Authorization Reference, "Actions defined by Amazon S3"; the
// operations are those of FACTS 1.5).
func actionOf(op string) string {
	switch op {
	case "ListBuckets":
		return "ListAllMyBuckets"
	case "HeadBucket":
		return "ListBucket"
	case "GetPublicAccessBlock":
		return "GetBucketPublicAccessBlock"
	case "PutPublicAccessBlock", "DeletePublicAccessBlock":
		return "PutBucketPublicAccessBlock"
	case "DeleteBucketEncryption":
		return "PutEncryptionConfiguration"
	case "DeleteBucketOwnershipControls":
		return "PutBucketOwnershipControls"
	case "DeleteBucketTagging":
		return "PutBucketTagging"
	case "GetObjectLockConfiguration", "PutObjectLockConfiguration":
		return op[:3] + "BucketObjectLockConfiguration"
	case "GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration":
		return op[:3] + "BucketNotification"
	}
	for _, of := range []string{"Accelerate", "Analytics", "Encryption", "IntelligentTiering", "Inventory", "Lifecycle", "Metrics", "Replication"} {
		if !strings.Contains(op, of) {
			continue
		}
		verb := "Get"
		if strings.HasPrefix(op, "Put") || strings.HasPrefix(op, "Delete") {
			verb = "Put"
		}
		return verb + of + "Configuration"
	}
	return op
}
