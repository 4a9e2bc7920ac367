package health

import "testing"

func TestMissingAction(t *testing.T) {
	for text, want := range map[string]string{
		"operation error S3: PutPublicAccessBlock, https response error StatusCode: 403, api error AccessDenied: Access Denied": "s3:PutBucketPublicAccessBlock",
		"operation error S3: ListBuckets, https response error StatusCode: 403":                                                 "s3:ListAllMyBuckets",
		"operation error S3: GetBucketEncryption, https response":                                                               "s3:GetEncryptionConfiguration",
		"operation error S3: DeleteBucketLifecycle, https response":                                                             "s3:PutLifecycleConfiguration",
		"operation error S3: ListBucketInventoryConfigurations, x":                                                              "s3:GetInventoryConfiguration",
		"operation error S3: GetObjectLockConfiguration, x":                                                                     "s3:GetBucketObjectLockConfiguration",
		"operation error S3: CreateBucket, x":                                                                                   "s3:CreateBucket",
		"operation error S3: CreateBucket, api error AccessDenied: User: arn:aws:sts::1:assumed-role/ack/x is not authorized to perform: s3:TagResource on resource: \"arn:aws:s3:::b\"":         "s3:TagResource",
		"get credentials: operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: 403, api error AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity": "sts:AssumeRoleWithWebIdentity",
		"User: x is not authorized to perform: kms:GenerateDataKey on resource: y because no resource-based policy allows the kms:GenerateDataKey action":                                        "kms:GenerateDataKey",
		"api error AccessDenied: Access Denied": "",
		"":                                      "",
	} {
		if got := MissingAction(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
