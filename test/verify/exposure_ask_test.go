package verify

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

const misused = 2

// fill makes a bucket of the account that nothing of ours knows, with objects.
func fill(t *testing.T, bed *testbed.Bed, namespace string, keys ...string) {
	t.Helper()
	bucket := aws.String(namespace + "-bucket")
	_, err := bed.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket:                    bucket,
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testbed.Region},
	})
	orders(t, err)
	for _, key := range keys {
		_, err := bed.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader("data")})
		orders(t, err)
	}
}

// TestF4AdoptedBucketNeedsAYes: objects that were there before become readable for
// everybody who reaches the Route only after a yes; without one nothing is touched.
func TestF4AdoptedBucketNeedsAYes(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "opened-up"
	admin := run.Admin(bed)
	world.NewNamespace(t, bed, namespace)
	fill(t, bed, namespace, "invoice-1", "invoice-2")
	install := func(args ...string) []string {
		return append([]string{"install", "-n", namespace, "--verify=false"}, args...)
	}
	const asks = "has 2 objects, 8 B: everybody who can reach the Route ostoy-route (http) will list, read, write and overwrite every object in it"
	before := world.Look(t, bed, namespace)
	admin.Run(t, install("--adopt=bucket")...).WantCode(t, misused).WantStdout(t, "").
		WantTalk(t, "not confirmed: nothing was changed", "opened-up-bucket exists already", asks, "the same command with --yes", "expose=none")
	admin.Run(t, install("--adopt=bucket", "--dry-run=server")...).WantCode(t, done).WantTalk(t, asks, "a script needs --yes", "access    everybody who can reach")
	admin.Run(t, install("--adopt=bucket", "--mode", "manual")...).WantCode(t, done).WantTalk(t, asks, "the script does not ask")
	admin.Run(t, install("--adopt=bucket", "--set", "expose=none", "--dry-run=server")...).WantCode(t, done).
		WantNoTalk(t, "exists already").WantTalk(t, "no Route or Ingress: pods of the cluster")
	if code, screen := run.AtTerminal(t, admin, "no\n", install("--adopt=bucket")...); code != misused || !strings.Contains(screen, "has 2 objects") {
		t.Errorf("exit code %d\n%s", code, screen)
	}
	before.WantSame(t, world.Look(t, bed, namespace))

	// Adopted behind no Route, it is asked when a Route is to lead to it.
	admin.Run(t, install("--adopt=bucket", "--set", "expose=none")...).WantCode(t, done)
	admin.Run(t, install()...).WantCode(t, done).WantTalk(t, "nothing to change", "from the record")
	admin.Run(t, install("--reset-values")...).WantCode(t, misused).WantTalk(t, "exists already", asks)
	if code, screen := run.AtTerminal(t, admin, "yes\n", install("--reset-values")...); code != done {
		t.Errorf("exit code %d\n%s", code, screen)
	}
	admin.Run(t, install()...).WantCode(t, done).WantTalk(t, "nothing to change", "access: everybody who can reach http://ostoy-route-opened-up.apps.lab.example.com lists")
}

// TestF4EmptyBucketIsNoQuestion: there is nothing to become readable in an empty bucket,
// and a script with --yes is not asked.
func TestF4EmptyBucketIsNoQuestion(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for namespace, args := range map[string][]string{"opened-empty": nil, "opened-full": {"--yes"}} {
		world.NewNamespace(t, bed, namespace)
		fill(t, bed, namespace, map[string][]string{"opened-full": {"a"}}[namespace]...)
		run.Admin(bed).Run(t, append([]string{"install", "-n", namespace, "--adopt=bucket", "--verify=false"}, args...)...).WantCode(t, done)
	}
}

// TestF4UncountedBucketNeedsAYes: a bucket that you are not allowed to list may have
// anything in it.
func TestF4UncountedBucketNeedsAYes(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "opened-unseen"
	world.NewNamespace(t, bed, namespace)
	fill(t, bed, namespace)
	a := app{bed, namespace, run.Admin(bed)}
	a.denyCaller(t, "s3:ListBucketVersions")
	a.denyCaller(t, "s3:ListBucket")
	a.user.Run(t, "install", "-n", namespace, "--adopt=bucket", "--verify=false").WantCode(t, misused).
		WantTalk(t, "not confirmed: nothing was changed", "may have objects (not counted: ")
}

// TestF4RealSecretsNeedAYes: Secrets that the chart does not create are shown by OSToy's
// pages to everybody who reaches the Route.
func TestF4RealSecretsNeedAYes(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "real-secrets"
	admin := run.Admin(bed)
	world.NewNamespace(t, bed, namespace)
	admin.Kubectl(t, "create", "secret", "generic", "ostoy-secret", "--from-literal=secret.txt=x", "-n", namespace).WantCode(t, done)
	admin.Kubectl(t, "create", "secret", "generic", "ostoy-secret-env", "--from-literal=ENV_TOY_SECRET=x", "-n", namespace).WantCode(t, done)
	install := func(args ...string) run.Result {
		return admin.Run(t, append([]string{"install", "-n", namespace, "--verify=false", "--set", "secrets.existing=true"}, args...)...)
	}
	const asks = "the Secrets ostoy-secret and ostoy-secret-env may have real values"
	before := world.Look(t, bed, namespace)
	install().WantCode(t, misused).WantTalk(t, "not confirmed: nothing was changed", asks, "--yes", "expose=none")
	install("--set", "expose=ingress,ingress.host=a.example.com").WantCode(t, misused).WantTalk(t, asks, "everybody who can reach http://a.example.com will read them")
	install("--set", "expose=none", "--dry-run=server").WantCode(t, done).WantNoTalk(t, asks).WantTalk(t, "read the Secrets ostoy-secret and ostoy-secret-env, without a password")
	before.WantSame(t, world.Look(t, bed, namespace))
	var document struct{ Access string }
	install("--yes", "-o", "json").WantCode(t, done).JSON(t, &document)
	if !strings.Contains(document.Access, ", and reads the Secrets ostoy-secret and ostoy-secret-env, without a password") {
		t.Errorf("access is %q", document.Access)
	}
	app{bed, namespace, admin}.wantAccess(t, document.Access, "-n", namespace)
	install().WantCode(t, done).WantTalk(t, "nothing to change")
	install("--set", "microservice.replicas=2").WantCode(t, done).WantTalk(t, "1 updated").WantNoTalk(t, asks) // they are shown already

	// A project that was made to learn the issuer is removed again.
	learner := run.ProjectAdmin(t, bed, "opens-secrets")
	learner.Run(t, "install", "--new-project=real-secrets-too", "--set", "secrets.existing=true").WantCode(t, misused).WantTalk(t, asks)
	admin.Kubectl(t, "wait", "--for=delete", "namespace/real-secrets-too", "--timeout=2m").WantCode(t, done)
}
