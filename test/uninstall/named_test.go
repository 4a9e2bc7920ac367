package uninstall

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func serviceAccounts() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
}

// names writes a role into the inventory, with what else is given, and into the service
// account.
func names(t *testing.T, bed *testbed.Bed, namespace, role, more string) {
	t.Helper()
	arn := "arn:aws:iam::" + testbed.Account + ":role/" + role
	patch(t, bed, configMaps(), namespace, "ostoy-s3", `{"data":{"roleARN":"`+arn+`"`+more+`}}`)
	patch(t, bed, serviceAccounts(), namespace, "ostoy-sa", `{"metadata":{"annotations":{"eks.amazonaws.com/role-arn":"`+arn+`"}}}`)
}

// testF3Ghost: the project names a role that does not exist. The role that install created
// under another name is removed, and with it the access to AWS.
func testF3Ghost(t *testing.T, bed *testbed.Bed) {
	const namespace = "names-a-ghost"
	admin := installed(t, bed, namespace, "--role-name", "own-of-ghost")
	names(t, bed, namespace, "ostoy-s3/ghost", "")
	uninstall(t, admin, 0, namespace).WantTalk(t, "role own-of-ghost").WantNoTalk(t, "role ghost")
	wantLeft(t, bed, namespace, pvc)
}

// testF3GhostKept: the same for a project that says that its role stays. The role that
// stays is named, with the command that removes it.
func testF3GhostKept(t *testing.T, bed *testbed.Bed) {
	const namespace = "keeps-a-ghost"
	admin := installed(t, bed, namespace)
	names(t, bed, namespace, "ostoy-s3/ghost", `,"roleOrigin":"existing"`)
	uninstall(t, admin, 0, namespace).WantTalk(t, "role "+roleName(bed, namespace), "names the role ghost", "oc ostoy-s3 uninstall -n "+namespace+" --role-only").
		WantNoTalk(t, "role ghost  ")
	wantLeft(t, bed, namespace, pvc, "role/"+roleName(bed, namespace))
	uninstall(t, admin, 0, namespace, "--role-only")
	wantLeft(t, bed, namespace, pvc)
}

// testF3Boss: the project names a role of others. It stays, and does not keep the
// project's own from being removed.
func testF3Boss(t *testing.T, bed *testbed.Bed) {
	const namespace, boss = "names-a-boss", "boss-of-names"
	_, err := bed.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(boss), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`)})
	orders(t, err)
	admin := installed(t, bed, namespace, "--role-name", "own-of-boss")
	names(t, bed, namespace, boss, "")
	uninstall(t, admin, 0, namespace).WantTalk(t, "role own-of-boss", "role "+boss, "it is not managed by ostoy-s3 for this project: it has no tags")
	wantLeft(t, bed, namespace, pvc)
	_, err = bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(boss)})
	orders(t, err)
	// Also after that, when only the forged inventory is left.
	forgeInventory(t, bed, namespace, map[string]string{"roleARN": "arn:aws:iam::" + testbed.Account + ":role/" + boss, "bucket": namespace + "-bucket"})
	uninstall(t, admin, 0, namespace, "--delete-data", "--adopt=bucket", "--yes").WantTalk(t, "role "+boss, "not managed by ostoy-s3")
	_, err = bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(boss)})
	orders(t, err)
}

// testF3Account: an account that only the inventory names is named as its claim.
func testF3Account(t *testing.T, bed *testbed.Bed) {
	const namespace = "names-an-account"
	admin := installed(t, bed, namespace)
	patch(t, bed, configMaps(), namespace, "ostoy-s3", `{"data":{"account":"999999999999"}}`)
	uninstall(t, admin, 4, namespace).WantTalk(t, "the inventory (configmaps/ostoy-s3) names account 999999999999", "--account-id "+testbed.Account)
	uninstall(t, admin, 0, namespace, "--account-id", testbed.Account)
	wantLeft(t, bed, namespace, pvc)
}

// testF7CreatedForged: an empty bucket that existed before install stays, also if the
// project says that install created it.
func testF7CreatedForged(t *testing.T, bed *testbed.Bed) {
	const namespace = "says-created"
	_, err := bed.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket:                    aws.String(namespace + "-bucket"),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testbed.Region},
	})
	orders(t, err)
	orders(t, bed.NewNamespace(t.Context(), namespace))
	nextSecond(t, bed, namespace)
	admin := run.Admin(bed)
	admin.Run(t, "install", "-n", namespace, "--adopt=bucket").WantCode(t, 0)
	patch(t, bed, configMaps(), namespace, "ostoy-s3", `{"data":{"bucketOrigin":"created"}}`)
	uninstall(t, admin, 0, namespace).WantTalk(t, "it is older than the role "+roleName(bed, namespace), "oc ostoy-s3 uninstall -n "+namespace+" --adopt=bucket")
	wantLeft(t, bed, namespace, pvc, full(namespace, 0))
	uninstall(t, admin, 0, namespace, "--adopt=bucket", "-y")
	wantLeft(t, bed, namespace, pvc)
}

// nextSecond waits until IAM gives a role a later date than the bucket has: the dates of
// S3 are in whole seconds.
func nextSecond(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	list, err := bed.S3().ListBuckets(t.Context(), &s3.ListBucketsInput{Prefix: aws.String(namespace + "-bucket")})
	orders(t, err)
	if len(list.Buckets) != 1 {
		t.Fatalf("%d buckets", len(list.Buckets))
	}
	probe := aws.String("clock-of-" + namespace)
	eventually(t, "a second later", func(ctx context.Context) error {
		made, err := bed.IAM().CreateRole(ctx, &iam.CreateRoleInput{RoleName: probe, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`)})
		if err != nil {
			return err
		}
		if _, err := bed.IAM().DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: probe}); err != nil {
			return err
		}
		if !made.Role.CreateDate.Truncate(time.Second).After(*list.Buckets[0].CreationDate) {
			return errors.New("it is the same second")
		}
		return nil
	})
}

// testF7ReinstalledEmpty: a bucket that an uninstall kept is older than the role of the
// next install, so it stays, also when it is empty by then.
func testF7ReinstalledEmpty(t *testing.T, bed *testbed.Bed) {
	const namespace = "installed-twice"
	admin := installed(t, bed, namespace)
	put(t, bed, namespace, "a.txt")
	uninstall(t, admin, 0, namespace)
	nextSecond(t, bed, namespace)
	admin.Run(t, "install", "-n", namespace, "--yes").WantCode(t, 0)
	_, err := bed.S3().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(namespace + "-bucket"), Key: aws.String("a.txt")})
	orders(t, err)
	uninstall(t, admin, 0, namespace).WantTalk(t, "bucket "+namespace+"-bucket", "oc ostoy-s3 uninstall -n "+namespace+" --adopt=bucket")
	wantLeft(t, bed, namespace, pvc, full(namespace, 0))
	uninstall(t, admin, 0, namespace, "--adopt=bucket", "-y")
	wantLeft(t, bed, namespace, pvc)
}

// testF7RoleFirst: install creates the role before the controller creates the bucket.
func testF7RoleFirst(t *testing.T, bed *testbed.Bed) {
	const namespace = "role-comes-first"
	installed(t, bed, namespace)
	role, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(roleName(bed, namespace))})
	orders(t, err)
	list, err := bed.S3().ListBuckets(t.Context(), &s3.ListBucketsInput{Prefix: aws.String(namespace + "-bucket")})
	orders(t, err)
	if len(list.Buckets) != 1 || list.Buckets[0].CreationDate.Before(role.Role.CreateDate.Truncate(time.Second)) {
		t.Errorf("role %s, bucket %+v", role.Role.CreateDate, list.Buckets)
	}
}

// testF7NoDate: if you may not see when the bucket was created, what the inventory says
// does not remove it.
func testF7NoDate(t *testing.T, bed *testbed.Bed) {
	const namespace = "no-date"
	admin := installed(t, bed, namespace)
	orders(t, bed.AWS.Deny(t.Context(), "s3:ListAllMyBuckets"))
	uninstall(t, admin, 0, namespace).WantTalk(t, "s3:ListAllMyBuckets", "oc ostoy-s3 uninstall -n "+namespace+" --adopt=bucket")
	orders(t, bed.AWS.Reset(t.Context()))
	wantLeft(t, bed, namespace, pvc, full(namespace, 0))
}
