package denied

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

const (
	pattern = "ostoy-*-bucket"
	within  = "ostoy-in"
	outside = "payroll"
)

// TestF1ControllerStaysWithinItsPattern: the policy for controller is enough to
// install, upgrade and uninstall one; the role that it gets reaches the buckets of
// its pattern and no others, also by a Bucket resource.
func TestF1ControllerStaysWithinItsPattern(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.ROSAClassic, NoController: true, Enforce: true})
	zoe, err := bed.User(t.Context(), "zoe", "", printed(t, bed, "--for", "controller"))
	must(t, err)
	admin := run.Admin(bed).With(zoe.Env...)
	controller := func(args ...string) run.Result {
		t.Helper()
		return admin.Run(t, append([]string{"controller"}, args...)...).WantCode(t, done)
	}
	controller("install", "--bucket-pattern", pattern, "--version", "1.12.2")
	controller("install", "--bucket-pattern", pattern, "--version", "1.12.2").WantTalk(t, "nothing to change")
	controller("install", "--upgrade").WantTalk(t, "1.13.0")
	controller("status")

	session := controllerSession(t, bed)
	testReach(t, bed, session)
	testReachOfOtherAccount(t, bed, session)
	testBuckets(t, bed)
	controller("uninstall")
	wantRefusals(t, bed, zoe)
	if left := controllerRoles(t, bed); len(left) > 0 {
		t.Errorf("roles are left: %v", left)
	}
}

// controllerRoles are the ARNs of the roles of controllers.
func controllerRoles(t *testing.T, bed *testbed.Bed) []string {
	t.Helper()
	out, err := bed.IAM().ListRoles(t.Context(), &iam.ListRolesInput{})
	must(t, err)
	var found []string
	for _, role := range out.Roles {
		if strings.HasPrefix(*role.RoleName, "ack-s3-controller") {
			found = append(found, *role.Arn)
		}
	}
	return found
}

// controllerSession is what the controller's pods have.
func controllerSession(t *testing.T, bed *testbed.Bed) testbed.Identity {
	t.Helper()
	roles := controllerRoles(t, bed)
	if len(roles) != 1 {
		t.Fatalf("roles %v, want the controller's", roles)
	}
	token, err := bed.Token(t.Context(), testbed.ControllerNamespace, "ack-s3-controller", audience)
	must(t, err)
	session, err := bed.Assume(t.Context(), roles[0], token)
	must(t, err)
	other, err := bed.Token(t.Context(), testbed.ControllerNamespace, "default", audience)
	must(t, err)
	_, err = bed.Assume(t.Context(), roles[0], other)
	wantDenied(t, "another service account", err, "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	return session
}

// testReach tries the controller's calls on a bucket within its pattern and on one
// outside.
func testReach(t *testing.T, bed *testbed.Bed, session testbed.Identity) {
	t.Helper()
	client, ctx := session.S3(), t.Context()
	_, err := client.CreateBucket(ctx, bucketInput(outside+"-bucket"))
	wantDenied(t, "create outside", err, `s3:CreateBucket on resource: "arn:aws:s3:::payroll-bucket" because no identity-based policy allows the s3:CreateBucket action`)
	_, err = bed.S3().CreateBucket(ctx, bucketInput("finance"))
	must(t, err)
	_, err = client.CreateBucket(ctx, bucketInput("ostoy-x-bucket"))
	must(t, err)
	allowed, denied := bucketCalls(ctx, client, "ostoy-x-bucket"), bucketCalls(ctx, client, "finance")
	for name, err := range denied {
		wantDenied(t, name+" outside", err, `on resource: "arn:aws:s3:::finance" because no identity-based policy allows`)
		if err := allowed[name]; err != nil && strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("%s within: %v", name, err)
		}
	}
	for name, err := range map[string]error{"put": objects{client, "finance"}.put(t), "list": objects{client, "finance"}.list(t)} {
		wantDenied(t, name+" objects", err)
	}
}

// bucketCalls are calls of the controller, with their outcomes.
func bucketCalls(ctx context.Context, client *s3.Client, bucket string) map[string]error {
	errs, name := map[string]error{}, &bucket
	_, errs["GetBucketPolicy"] = client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name})
	_, errs["GetBucketEncryption"] = client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: name})
	_, errs["GetPublicAccessBlock"] = client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name})
	_, errs["GetBucketTagging"] = client.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name})
	_, errs["GetBucketOwnershipControls"] = client.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name})
	_, errs["GetBucketVersioning"] = client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: name})
	_, errs["GetBucketLifecycleConfiguration"] = client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name})
	_, errs["GetBucketReplication"] = client.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: name})
	_, errs["GetBucketAccelerateConfiguration"] = client.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: name})
	_, errs["GetBucketCors"] = client.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: name})
	_, errs["GetBucketAcl"] = client.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: name})
	_, errs["GetBucketLogging"] = client.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: name})
	_, errs["GetBucketWebsite"] = client.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: name})
	_, errs["GetBucketRequestPayment"] = client.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: name})
	_, errs["GetBucketNotificationConfiguration"] = client.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: name})
	_, errs["DeleteBucketEncryption"] = client.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: name})
	_, errs["PutBucketTagging"] = client.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: name, Tagging: &s3types.Tagging{TagSet: []s3types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}})
	_, errs["PutPublicAccessBlock"] = client.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: name, PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)}})
	_, errs["PutBucketPolicy"] = client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: name, Policy: aws.String(
		fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}`, bucket))})
	_, errs["DeleteBucketPolicy"] = client.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: name})
	_, errs["DeletePublicAccessBlock"] = client.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: name})
	_, errs["DeleteBucketLifecycle"] = client.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: name})
	_, errs["DeleteBucket"] = client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name})
	return errs
}

// testBuckets: the controller itself, by Bucket resources.
func testBuckets(t *testing.T, bed *testbed.Bed) {
	t.Helper()
	for _, namespace := range []string{within, outside} {
		world.NewNamespace(t, bed, namespace)
		must(t, bed.Apply(t.Context(), strings.ReplaceAll(`apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata: {name: NS-bucket, namespace: NS}
spec:
  name: NS-bucket
  publicAccessBlock: {blockPublicACLs: true, blockPublicPolicy: true, ignorePublicACLs: true, restrictPublicBuckets: true}
  encryption: {rules: [{applyServerSideEncryptionByDefault: {sseAlgorithm: AES256}, bucketKeyEnabled: false}]}
  ownershipControls: {rules: [{objectOwnership: BucketOwnerEnforced}]}
`, "NS", namespace)))
	}
	wantCondition(t, bed, within, "Ready", "True", "Resource synced successfully")
	wantCondition(t, bed, outside, "ACK.Recoverable", "True", "api error AccessDenied: User: arn:aws:sts::123456789012:assumed-role/ack-s3-controller-",
		`is not authorized to perform: s3:CreateBucket on resource: "arn:aws:s3:::payroll-bucket" because no identity-based policy allows the s3:CreateBucket action`)
	wantCondition(t, bed, outside, "Ready", "False", "AccessDenied")
	for _, namespace := range []string{within, outside} {
		buckets := bed.Dynamic.Resource(ack.Resource()).Namespace(namespace)
		must(t, buckets.Delete(t.Context(), namespace+"-bucket", metav1.DeleteOptions{}))
		run.Eventually(t, "the end of the Bucket in "+namespace, func(ctx context.Context) error {
			list, err := buckets.List(ctx, metav1.ListOptions{})
			if err == nil && len(list.Items) > 0 {
				err = fmt.Errorf("status %v", list.Items[0].Object["status"])
			}
			return err
		})
	}
}

// wantCondition waits for a condition of a Bucket, with these words in its message.
func wantCondition(t *testing.T, bed *testbed.Bed, namespace, kind, status string, words ...string) {
	t.Helper()
	run.Eventually(t, kind+" of "+namespace, func(ctx context.Context) error {
		object, err := bed.Dynamic.Resource(ack.Resource()).Namespace(namespace).Get(ctx, namespace+"-bucket", metav1.GetOptions{})
		if err != nil {
			return err
		}
		text, err := json.Marshal(object.Object["status"])
		if err != nil {
			return err
		}
		var have struct {
			Conditions []struct{ Type, Status, Message string }
		}
		if err := json.Unmarshal(text, &have); err != nil {
			return err
		}
		for _, c := range have.Conditions {
			if c.Type == kind && c.Status == status {
				for _, word := range words {
					if !strings.Contains(c.Message, word) {
						return fmt.Errorf("message %q lacks %q", c.Message, word)
					}
				}
				return nil
			}
		}
		return fmt.Errorf("conditions %s", text)
	})
}
