package trouble_test

import (
	"cmp"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// ordered ends the test unless S3 did all that was ordered.
func ordered(t *testing.T, orders ...func() error) {
	t.Helper()
	for _, order := range orders {
		if err := order(); err != nil {
			t.Fatal(err)
		}
	}
}

// configure gives the bucket of a namespace what somebody may have set up over the years,
// as far as the emulator has it.
func configure(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	client, ctx, name, logs := bed.S3(), t.Context(), aws.String(namespace+"-bucket"), aws.String(namespace+"-logs")
	day := func(n int32) *int32 { return &n }
	ordered(t,
		func() error {
			_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: logs, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: testbed.Region}})
			return err
		},
		func() error {
			_, err := client.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: logs, ACL: "log-delivery-write"})
			return err
		},
		func() error {
			_, err := client.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: name, BucketLoggingStatus: &types.BucketLoggingStatus{
				LoggingEnabled: &types.LoggingEnabled{TargetBucket: logs, TargetPrefix: aws.String("access/")},
			}})
			return err
		},
		func() error {
			_, err := client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
			return err
		},
		func() error {
			_, err := client.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: name, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{
				{
					ID: aws.String("archive"), Status: types.ExpirationStatusEnabled,
					Filter: &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{
						Prefix: aws.String("reports/"), Tags: []tag{{Key: aws.String("class"), Value: aws.String("cold")}},
					}},
					Transitions:                 []types.Transition{{Days: day(30), StorageClass: types.TransitionStorageClassGlacier}},
					NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: day(7)},
				},
				{
					ID: aws.String("uploads"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")},
					AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: day(3)},
				},
			}}})
			return err
		},
		func() error {
			_, err := client.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: name, CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{{
				AllowedMethods: []string{"GET", "PUT"}, AllowedOrigins: []string{"https://shop.example.com"}, AllowedHeaders: []string{"*"},
				ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: day(600),
			}}}})
			return err
		},
		func() error {
			_, err := client.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{Bucket: name, WebsiteConfiguration: &types.WebsiteConfiguration{
				IndexDocument: &types.IndexDocument{Suffix: aws.String("index.html")}, ErrorDocument: &types.ErrorDocument{Key: aws.String("error.html")},
				RoutingRules: []types.RoutingRule{{
					Condition: &types.Condition{KeyPrefixEquals: aws.String("old/")}, Redirect: &types.Redirect{ReplaceKeyPrefixWith: aws.String("new/")},
				}},
			}})
			return err
		},
		func() error {
			_, err := client.PutBucketAccelerateConfiguration(ctx, &s3.PutBucketAccelerateConfigurationInput{Bucket: name, AccelerateConfiguration: &types.AccelerateConfiguration{Status: types.BucketAccelerateStatusEnabled}})
			return err
		},
	)
}

// settingsOf is what an S3 bucket is configured with, by what the plan calls it. What it
// does not have is the code of S3's error. Tags are those that neither this tool nor the
// controller writes.
func settingsOf(t *testing.T, client *s3.Client, bucket string) map[string]string {
	t.Helper()
	ctx, name, seen := t.Context(), &bucket, map[string]string{}
	note := func(what string, value any, err error) {
		seen[what] = world.InJSON(value)
		if code := smithy.APIError(nil); errors.As(err, &code) {
			seen[what] = code.ErrorCode()
		} else if err != nil {
			t.Fatal(err)
		}
	}
	versioning, err := client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: name})
	note("versioning", cmp.Or(versioning, &s3.GetBucketVersioningOutput{}).Status, err)
	lifecycle, err := client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name})
	note("lifecycle", cmp.Or(lifecycle, &s3.GetBucketLifecycleConfigurationOutput{}).Rules, err)
	cors, err := client.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: name})
	note("cors", cmp.Or(cors, &s3.GetBucketCorsOutput{}).CORSRules, err)
	site, err := client.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: name})
	site = cmp.Or(site, &s3.GetBucketWebsiteOutput{})
	note("website", []any{site.IndexDocument, site.ErrorDocument, site.RedirectAllRequestsTo, site.RoutingRules}, err)
	logging, err := client.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: name})
	note("logging", cmp.Or(logging, &s3.GetBucketLoggingOutput{}).LoggingEnabled, err)
	accelerate, err := client.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: name})
	note("accelerate", cmp.Or(accelerate, &s3.GetBucketAccelerateConfigurationOutput{}).Status, err)
	notification, err := client.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: name})
	note("notification", cmp.Or(notification, &s3.GetBucketNotificationConfigurationOutput{}).QueueConfigurations, err)
	encryption, err := client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: name})
	note("encryption", cmp.Or(encryption, &s3.GetBucketEncryptionOutput{}).ServerSideEncryptionConfiguration, err)
	tags, err := client.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name})
	others := map[string]string{}
	for _, one := range cmp.Or(tags, &s3.GetBucketTaggingOutput{}).TagSet {
		if !strings.HasPrefix(*one.Key, "ostoy-s3/") && !strings.HasPrefix(*one.Key, "services.k8s.aws/") && *one.Key != "app.kubernetes.io/managed-by" {
			others[*one.Key] = *one.Value
		}
	}
	note("tags", others, err)
	return seen
}

func wantSettings(t *testing.T, bed *testbed.Bed, namespace, after string, want map[string]string) {
	t.Helper()
	is := settingsOf(t, bed.S3(), namespace+"-bucket")
	for _, what := range slices.Sorted(maps.Keys(want)) {
		if is[what] != want[what] {
			t.Errorf("after %s, %s is %s, and was %s", after, what, is[what], want[what])
		}
	}
}

// TestBucketKeepsItsSettings: the controller deletes what a Bucket resource does not state,
// so the resource of a bucket that is taken over states what S3 has. The plan says so setting
// by setting, and nothing that is applied later takes any of it away.
func TestBucketKeepsItsSettings(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "settings-kept"
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	makeBucket(t, bed.S3(), namespace, testbed.Region, map[string]string{"team": "blue", "cost-center": "4711"})
	configure(t, bed, namespace)
	was := settingsOf(t, bed.S3(), namespace+"-bucket")
	before := world.Look(t, bed, namespace)
	install := func(args ...string) run.Result {
		return admin.Run(t, append([]string{"install", "-n", namespace}, args...)...)
	}

	kept := []string{"~ bucket", "accelerate, cors, lifecycle, logging, versioning, website, tag cost-center, tag team (field manager ostoy-s3-adopted)"}
	for _, way := range []string{"client", "server"} {
		install("--adopt=bucket", "--dry-run="+way).WantCode(t, done).WantTalk(t, kept...)
	}
	const some = 1 // changes, for diff
	compared := admin.Run(t, "diff", "-n", namespace, "--adopt=bucket").WantCode(t, some).WantTalk(t, kept...)
	for _, line := range []string{"+  versioning:", "+  lifecycle:", "- key: cost-center"} {
		if !strings.Contains(compared.Stdout, line) {
			t.Errorf("the diff lacks %q\n%s", line, compared)
		}
	}
	before.WantSame(t, world.Look(t, bed, namespace))

	install("--adopt=bucket").WantCode(t, done).WantTalk(t, kept...)
	wantSettings(t, bed, namespace, "the adoption", was)
	wantOurBucket(t, bed, namespace, testbed.Region)
	for range 2 {
		install().WantCode(t, done).WantTalk(t, "nothing to change")
	}
	wantSettings(t, bed, namespace, "two more installs", was)
	stage := []string{"--set", "bucket.tags.stage=test"}
	install(stage...).WantCode(t, done).WantTalk(t, "Bucket settings-kept-bucket", "spec.tagging.tagSet[stage]")
	with := maps.Clone(was)
	with["tags"] = world.InJSON(map[string]string{"team": "blue", "cost-center": "4711", "stage": "test"})
	wantSettings(t, bed, namespace, "a tag more", with)

	apply := func(rendered run.Result, flags ...string) run.Result {
		return admin.Typing(rendered.WantCode(t, done).Stdout).Kubectl(t, append([]string{"apply", "-f", "-"}, flags...)...)
	}
	render := append([]string{"render", "-n", namespace}, stage...)
	apply(admin.Run(t, render...), "--server-side").WantCode(t, failed).WantTalk(t, `conflicts with "ostoy-s3`, ".spec.tagging.tagSet")
	wantSettings(t, bed, namespace, "an apply that was refused", with)
	render = append(render, "--set-string", "bucket.tags.team=blue,bucket.tags.cost-center=4711")
	version := specVersion(t, bed, namespace)
	for _, flags := range [][]string{{"--server-side"}, nil} {
		apply(admin.Run(t, render...), flags...).WantCode(t, done)
		if is := specVersion(t, bed, namespace); is != version {
			t.Errorf("kubectl apply %v changed the spec: generation %d, and was %d", flags, is, version)
		}
	}
	install("--set", "bucket.tags.stage=prod", "--force-conflicts").WantCode(t, done)
	with["tags"] = world.InJSON(map[string]string{"team": "blue", "cost-center": "4711", "stage": "prod"})
	wantSettings(t, bed, namespace, "kubectl apply and an install after it", with)
}

// specVersion counts the changes of a Bucket's spec, which are what its controller acts on.
func specVersion(t *testing.T, bed *testbed.Bed, namespace string) int64 {
	t.Helper()
	live, err := bed.Dynamic.Resource(ack.Resource()).Namespace(namespace).Get(t.Context(), namespace+"-bucket", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return live.GetGeneration()
}

// TestBucketThatWouldLoseSettings: what no field of the Bucket resource can keep beside
// those of the app is listed, and the bucket is left as it is.
func TestBucketThatWouldLoseSettings(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "settings-lost"
	world.NewNamespace(t, bed, namespace)
	admin, client, name := run.Admin(bed), bed.S3(), aws.String(namespace+"-bucket")
	makeBucket(t, client, namespace, testbed.Region, map[string]string{"team": "blue"})
	configure(t, bed, namespace)
	ordered(t,
		func() error {
			_, err := client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: name, Policy: aws.String(
				`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::` + *name + `/*"}]}`)})
			return err
		},
		func() error {
			_, err := client.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: name, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
				Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String("alias/finance")}}},
			}})
			return err
		},
		func() error {
			_, err := client.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: name, NotificationConfiguration: &types.NotificationConfiguration{
				QueueConfigurations: []types.QueueConfiguration{{QueueArn: aws.String("arn:aws:sqs:" + testbed.Region + ":123456789012:uploads"), Events: []types.Event{"s3:ObjectCreated:*"}}},
			}})
			return err
		},
		func() error {
			_, err := client.PutBucketInventoryConfiguration(t.Context(), &s3.PutBucketInventoryConfigurationInput{Bucket: name, Id: aws.String("weekly"), InventoryConfiguration: &types.InventoryConfiguration{
				Id: aws.String("weekly"), IsEnabled: aws.Bool(true), IncludedObjectVersions: types.InventoryIncludedObjectVersionsCurrent,
				Schedule:    &types.InventorySchedule{Frequency: types.InventoryFrequencyWeekly},
				Destination: &types.InventoryDestination{S3BucketDestination: &types.InventoryS3BucketDestination{Bucket: aws.String("arn:aws:s3:::" + namespace + "-logs"), Format: types.InventoryFormatCsv}},
			}})
			return err
		},
	)
	was := settingsOf(t, client, *name)
	want := message{
		"bucket settings-lost-bucket would lose settings",
		"the bucket policy … default encryption with a KMS key (aws:kms) … event notifications … inventory configurations … These would stay: accelerate, cors, lifecycle, logging, versioning, website, tag team",
		"if nobody needs these settings, remove them from the bucket",
	}
	for _, args := range [][]string{{"--adopt=bucket"}, {"--adopt=bucket", "--dry-run=client"}, {"--adopt=bucket", "--mode", "manual"}} {
		wantRefused(t, admin, namespace, refused, want, args...)
	}
	before := world.Look(t, bed, namespace)
	wantMessages(t, admin.Run(t, "diff", "-n", namespace, "--adopt=bucket"), refused, want)
	before.WantSame(t, world.Look(t, bed, namespace))
	if is := settingsOf(t, client, *name); !reflect.DeepEqual(is, was) {
		t.Errorf("the bucket has %v, and had %v", is, was)
	}
}
