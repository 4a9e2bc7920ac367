package iam

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// permissionsOf are the permissions that each operation needs of the person who runs
// the tool: those that the Service Authorization Reference lists for it. None is
// needed for what an app's pod does with its own role, nor for GetCallerIdentity,
// which AWS always allows.
func permissionsOf() map[string][]string {
	return map[string][]string{
		"s3.DeleteBucket": {"s3:DeleteBucket"}, "s3.GetBucketPolicy": {"s3:GetBucketPolicy"}, "s3.GetBucketTagging": {"s3:GetBucketTagging"},
		"s3.DeleteObject": {"s3:DeleteObject", "s3:DeleteObjectVersion"}, "s3.DeleteObjects": {"s3:DeleteObject", "s3:DeleteObjectVersion"},
		"s3.GetBucketEncryption": {"s3:GetEncryptionConfiguration"}, "s3.GetBucketOwnershipControls": {"s3:GetBucketOwnershipControls"},
		"s3.GetPublicAccessBlock": {"s3:GetBucketPublicAccessBlock"}, "s3.HeadBucket": {"s3:ListBucket"},
		"s3.ListObjects": {"s3:ListBucket"}, "s3.ListObjectsV2": {"s3:ListBucket"}, "s3.ListObjectVersions": {"s3:ListBucketVersions"},
		"s3.ListBuckets":                      {"s3:ListAllMyBuckets"},
		"s3.GetBucketAccelerateConfiguration": {"s3:GetAccelerateConfiguration"}, "s3.GetBucketAcl": {"s3:GetBucketAcl"},
		"s3.GetBucketCors": {"s3:GetBucketCORS"}, "s3.GetBucketLifecycleConfiguration": {"s3:GetLifecycleConfiguration"},
		"s3.GetBucketLogging": {"s3:GetBucketLogging"}, "s3.GetBucketNotificationConfiguration": {"s3:GetBucketNotification"},
		"s3.GetBucketReplication": {"s3:GetReplicationConfiguration"}, "s3.GetBucketRequestPayment": {"s3:GetBucketRequestPayment"},
		"s3.GetBucketVersioning": {"s3:GetBucketVersioning"}, "s3.GetBucketWebsite": {"s3:GetBucketWebsite"},
		"s3.GetObjectLockConfiguration":                 {"s3:GetBucketObjectLockConfiguration"},
		"s3.ListBucketAnalyticsConfigurations":          {"s3:GetAnalyticsConfiguration"},
		"s3.ListBucketIntelligentTieringConfigurations": {"s3:GetIntelligentTieringConfiguration"},
		"s3.ListBucketInventoryConfigurations":          {"s3:GetInventoryConfiguration"}, "s3.ListBucketMetricsConfigurations": {"s3:GetMetricsConfiguration"},
		"s3.GetObject": nil, "s3.PutObject": nil, "s3.HeadObject": nil, "sts.AssumeRoleWithWebIdentity": nil, "sts.GetCallerIdentity": nil,
	}
}

// called are the operations of AWS that the code of the product sends.
func called(t *testing.T) []string {
	t.Helper()
	input := regexp.MustCompile(`\b(?:aws)?(iam|s3|sts|cloudtrail)\.([A-Z]\w+)Input\{`)
	var operations []string
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range input.FindAllStringSubmatch(string(text), -1) {
			operations = append(operations, match[1]+"."+match[2])
		}
		return err
	})
	if err != nil || len(operations) == 0 {
		t.Fatal(operations, err)
	}
	return sorted(operations)
}

// TestF8PoliciesCoverEveryCall: each permission that the code needs is in the policy
// for install or for controller and in the table of docs/rights.md, and the policies
// allow nothing that no code needs.
func TestF8PoliciesCoverEveryCall(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "rights.md"))
	if err != nil {
		t.Fatal(err)
	}
	var needed []string
	for _, operation := range called(t) {
		service, name, _ := strings.Cut(operation, ".")
		permissions, known := permissionsOf()[operation]
		if !known {
			if service == "s3" || service == "sts" {
				t.Errorf("%s: which permission does it need? Add it to permissionsOf", operation)
			}
			permissions = []string{service + ":" + name} // IAM and CloudTrail name them like the operations
		}
		needed = append(needed, permissions...)
	}
	administrators := slices.Concat(policyOf(t, PeopleOptions{For: ForInstall}).Statement, policyOf(t, PeopleOptions{For: ForController}).Statement)
	for _, permission := range needed {
		if !slices.ContainsFunc(administrators, func(s Statement) bool { return slices.Contains(s.Action, permission) }) {
			t.Errorf("neither the policy for install nor the one for controller has %s", permission)
		}
		if !strings.Contains(string(page), "`"+permission+"`") {
			t.Errorf("docs/rights.md does not name %s", permission)
		}
	}
	for _, kind := range []PeopleOptions{{For: ForInstall}, {For: ForController}, {For: ForClass, Boundary: theBoundary, Projects: []string{"demo"}}} {
		for _, s := range policyOf(t, kind).Statement {
			for _, action := range s.Action {
				if s.Effect == "Allow" && !slices.Contains(needed, action) {
					t.Errorf("the policy for %s allows %s, which no code needs", kind.For, action)
				}
			}
		}
	}
}
