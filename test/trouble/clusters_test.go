package trouble_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// secondIssuer is that of another cluster, which the account knows as well.
const secondIssuer = "https://oidc.op1.openshiftapps.com/2second"

// knownToAccount makes the second issuer's provider.
func knownToAccount(t *testing.T, bed *testbed.Bed) {
	t.Helper()
	_, err := bed.IAM().CreateOpenIDConnectProvider(t.Context(), &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String(secondIssuer), ClientIDList: []string{"openshift", "sts.amazonaws.com"},
		ThumbprintList: []string{"0123456789012345678901234567890123456789"},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTwoClusters: two clusters use one account and have a project of the same
// name. The second one is refused before it touches anything, and its uninstall
// reaches nothing of the first one's, whatever leave it is given.
func TestTwoClusters(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "two-clusters"
	knownToAccount(t, bed)
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	putObject(t, bed, namespace)
	// What the second cluster has is a project of that name, and nothing in it.
	admin.Kubectl(t, "delete", "namespace", namespace).WantCode(t, done)
	world.NewNamespace(t, bed, namespace)

	before := world.Look(t, bed, namespace)
	wantRefused(t, admin, namespace, refused, message{
		"bucket two-clusters-bucket … is not ours", "issuer " + bed.Issuer + " … this cluster's is " + secondIssuer, "--new-project",
	}, "--oidc-issuer", secondIssuer)
	for _, args := range [][]string{{"--yes"}, {"--yes", "--delete-data", "--delete-namespace", "--adopt=role"}, {"--yes", "--role-only", "--adopt=role"}} {
		args = append([]string{"uninstall", "-n", namespace, "--oidc-issuer", secondIssuer}, args...)
		admin.Run(t, args...).WantCode(t, done).WantTalk(t, "nothing to remove")
		before.WantSame(t, world.Look(t, bed, namespace))
	}
	wantObject(t, bed, namespace)

	// The first one finds its own again.
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	admin.Run(t, "uninstall", "-n", namespace, "--delete-data", "--yes").WantCode(t, done)
}

func putObject(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	// The test speaks HTTP, which the bucket's own policy forbids.
	if _, err := bed.S3().DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String(namespace + "-bucket")}); err != nil {
		t.Fatal(err)
	}
	if _, err := bed.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(namespace + "-bucket"), Key: aws.String("theirs.txt")}); err != nil {
		t.Fatal(err)
	}
}

func wantObject(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	list, err := bed.S3().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(namespace + "-bucket")})
	if err != nil || len(list.Contents) != 1 {
		t.Errorf("the object is gone: %v, %v", list, err)
	}
}

// TestUninstallBucketOfOthers: between install and uninstall the bucket became
// somebody else's: another cluster's, or that of another account. It stays, with
// what is in it, whatever leave is given, and is named.
func TestUninstallBucketOfOthers(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	other, err := bed.OtherS3(t.Context(), "222222222222")
	if err != nil {
		t.Fatal(err)
	}
	for namespace, why := range map[string]string{
		"lost-to-cluster": "it is not ours: ",
		"lost-to-account": "it belongs to another AWS account",
	} {
		t.Run(namespace, func(t *testing.T) {
			t.Parallel()
			world.NewNamespace(t, bed, namespace)
			admin, owner, name := run.Admin(bed), bed.S3(), aws.String(namespace+"-bucket")
			admin.Run(t, "install", "-n", namespace).WantCode(t, done)
			if namespace == "lost-to-account" {
				owner = other
				if _, err := bed.S3().DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: name}); err != nil {
					t.Fatal(err)
				}
				makeBucket(t, other, namespace, testbed.Region, nil)
			} else {
				putObject(t, bed, namespace)
				tags := ourTags(bed, namespace)
				tags["ostoy-s3/issuer"] = secondIssuer
				var set []tag
				for key, value := range tags {
					set = append(set, tag{Key: aws.String(key), Value: aws.String(value)})
				}
				if _, err := bed.S3().PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: name, Tagging: &types.Tagging{TagSet: set}}); err != nil {
					t.Fatal(err)
				}
			}
			before := world.World{}
			before.Bucket(t, owner, *name)
			admin.Run(t, "uninstall", "-n", namespace, "--delete-data", "--yes").WantCode(t, done).WantTalk(t, "kept", "bucket "+*name, why)
			now := world.World{}
			now.Bucket(t, owner, *name)
			before.WantSame(t, now)
		})
	}
}

// TestUninstallRoleOfOthers: the role carries another cluster's tags now. That
// refuses everything, before anything is touched.
func TestUninstallRoleOfOthers(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "lost-role"
	world.NewNamespace(t, bed, namespace)
	admin, name := run.Admin(bed), world.RoleName(bed.Issuer, namespace)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	_, err := bed.IAM().TagRole(t.Context(), &iam.TagRoleInput{RoleName: &name, Tags: []iamtypes.Tag{{Key: aws.String("ostoy-s3/issuer"), Value: aws.String(secondIssuer)}}})
	if err != nil {
		t.Fatal(err)
	}
	before := world.Look(t, bed, namespace)
	result := admin.Run(t, "uninstall", "-n", namespace, "--delete-data", "--yes")
	wantMessages(t, result, refused, message{"role … " + name, secondIssuer, "--keep-role"})
	before.WantSame(t, world.Look(t, bed, namespace))
	admin.Run(t, "uninstall", "-n", namespace, "--keep-role").WantCode(t, done)
	if _, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err != nil {
		t.Errorf("the role is gone: %v", err)
	}
}

// TestUninstallObjectsOfOthers: somebody put objects of their own in the place
// of ours. Those stay, and are named.
func TestUninstallObjectsOfOthers(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "lost-object"
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	admin.Kubectl(t, "delete", "secret", "ostoy-secret", "-n", namespace).WantCode(t, done)
	admin.Kubectl(t, "create", "secret", "generic", "ostoy-secret", "--from-literal=theirs=yes", "-n", namespace).WantCode(t, done)
	admin.Run(t, "uninstall", "-n", namespace, "--delete-data", "--yes").WantCode(t, done).
		WantTalk(t, "kept", "Secret ostoy-secret", "it is not ours: managed by kubectl-create", "oc delete secret")
	live, err := bed.Client.CoreV1().Secrets(namespace).Get(t.Context(), "ostoy-secret", metav1.GetOptions{})
	if err != nil || string(live.Data["theirs"]) != "yes" {
		t.Errorf("%v, %v", live, err)
	}
}
