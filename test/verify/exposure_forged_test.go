package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// victim is a project of mallory, with the name of another team's S3 bucket in which
// there is one object.
func victim(t *testing.T, namespace string) app {
	t.Helper()
	bed := run.TheBed(t)
	world.NewNamespace(t, bed, namespace)
	fill(t, bed, namespace, "salaries.csv")
	return app{bed, namespace, run.Admin(bed)}
}

// forge applies an object as mallory, who writes the field manager of ostoy-s3.
func (a app) forge(t *testing.T, manifest string) {
	t.Helper()
	a.user.Typing(manifest).Kubectl(t, "apply", "--server-side", "--field-manager=ostoy-s3", "-n", a.namespace, "-f", "-").WantCode(t, done)
}

func (a app) forgedBucket(tags string) string {
	return fmt.Sprintf(`apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata:
  name: %s
  annotations: {services.k8s.aws/adoption-policy: adopt-or-create, services.k8s.aws/deletion-policy: retain}
spec: {name: %[1]s%s}
`, a.bucket(), tags)
}

func (a app) forgedTags() string {
	return fmt.Sprintf(`, tagging: {tagSet: [{key: app.kubernetes.io/managed-by, value: ostoy-s3}, {key: ostoy-s3/issuer, value: %q}, {key: ostoy-s3/namespace, value: %s}, {key: ostoy-s3/bucket, value: %s}]}`,
		a.bed.Issuer, a.namespace, a.bucket())
}

func (a app) forgedInventory(roleOrigin string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: ConfigMap
metadata: {name: ostoy-s3, labels: {app.kubernetes.io/managed-by: ostoy-s3}}
data: {bucket: %s, bucketOrigin: created, roleOrigin: %q, issuer: %q, account: %q, region: %s, roleARN: "arn:aws:iam::%[4]s:role/ostoy-s3/%[6]s"}
`, a.bucket(), roleOrigin, a.bed.Issuer, testbed.Account, testbed.Region, world.RoleName(a.bed.Issuer, a.namespace))
}

const forgedRoute = `apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: ostoy-route}
spec: {to: {kind: Service, name: ostoy-frontend-svc}}
`

// controllerTags waits until the controller has written mallory's tags.
func (a app) controllerTags(t *testing.T) {
	t.Helper()
	run.Eventually(t, "the bucket has the tags", func(ctx context.Context) error {
		out, err := a.bed.S3().GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: aws.String(a.bucket())})
		if err == nil && len(out.TagSet) < 4 {
			err = errors.New("it has others")
		}
		return err
	})
}

// wantNoRole wants that no role of the project was created: with it the app, and every
// pod that mallory starts as it, reads the bucket.
func (a app) wantNoRole(t *testing.T, result run.Result) {
	t.Helper()
	name := world.RoleName(a.bed.Issuer, a.namespace)
	if _, err := a.bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err == nil {
		t.Fatalf("the role %s was created\n%s", name, result)
	}
}

// TestF7ForgedTagsAtInstall: mallory has the controller tag another team's bucket as the
// project's, and writes the Bucket resource, the Route and the inventory of an earlier
// install. An admin who installs in the project is asked before the app gets the bucket,
// and the plan names the bucket. Only the admin's yes makes it the project's.
func TestF7ForgedTagsAtInstall(t *testing.T) {
	t.Parallel()
	a := victim(t, "payroll")
	install := func(args ...string) run.Result {
		return a.user.Run(t, append([]string{"install", "-n", a.namespace, "--verify=false"}, args...)...)
	}
	asks := []string{
		"payroll-bucket exists already (no IAM role shows that it is this project's: the role ", " does not exist) and has 1 object, 4 B",
		"will list, read, write and overwrite every object in it", "not confirmed: nothing was changed", "--yes",
	}
	a.forge(t, a.forgedBucket(a.forgedTags()))
	a.controllerTags(t)
	for _, forged := range []string{"", forgedRoute, a.forgedInventory(""), a.forgedInventory("adopted")} {
		if forged != "" {
			a.forge(t, forged)
		}
		before := world.Look(t, a.bed, a.namespace)
		for _, args := range [][]string{nil, {"--set", "expose=none"}} {
			result := install(args...).WantCode(t, misused).WantStdout(t, "").WantTalk(t, asks...).WantTalk(t, "~ bucket", "exists, 1 object, 4 B")
			a.wantNoRole(t, result)
		}
		before.WantSame(t, world.Look(t, a.bed, a.namespace))
		install("--dry-run=client").WantCode(t, done).WantTalk(t, asks[:3]...).WantTalk(t, "a script needs --yes")
	}
	a.user.Run(t, "uninstall", "-n", a.namespace, "--delete-data", "--dry-run").WantTalk(t, "no IAM role shows that it is this project's")

	install("--yes").WantCode(t, done)
	install("--yes", "--set", "microservice.replicas=2").WantCode(t, done)
	install("--reset-values").WantCode(t, done).WantTalk(t, "objects", "updated").WantNoTalk(t, "~ bucket")
	install().WantCode(t, done).WantTalk(t, "nothing to change")
}

// TestF7ForgedInventoryAtInstall: where S3 does not show whose the bucket is, an inventory
// and a Bucket resource that mallory has written do not make it the project's. For an
// admin who is allowed to see no tags the project's role decides.
func TestF7ForgedInventoryAtInstall(t *testing.T) {
	t.Parallel()
	a := victim(t, "payslips")
	a.denyCaller(t, "s3:GetBucketTagging")
	a.forge(t, a.forgedBucket(""))
	a.forge(t, a.forgedInventory(""))
	a.user.Kubectl(t, "wait", "--for=condition=ACK.ResourceSynced", "buckets.s3.services.k8s.aws/"+a.bucket(), "-n", a.namespace, "--timeout=1m").WantCode(t, done)
	install := []string{"install", "-n", a.namespace, "--verify=false"}
	result := a.user.Run(t, install...).WantCode(t, refused).
		WantTalk(t, "is in this account already and it cannot be seen whose it is", "--adopt=bucket", "nothing was changed")
	a.wantNoRole(t, result)
	if result := a.user.Run(t, "check", "-n", a.namespace); !strings.Contains(result.Stdout, "bucket-name-taken") {
		t.Errorf("check does not name the bucket\n%s", result)
	}
	a.user.Run(t, append(install, "--adopt=bucket", "--yes")...).WantCode(t, done)
	a.user.Run(t, install...).WantCode(t, done).WantTalk(t, "nothing to change")
}

// TestF7InterruptedBeforeTheTags: a run that is interrupted before it creates the role
// leaves an inventory, a Bucket resource and a bucket that the controller has not tagged
// yet. The next run waits for the tags and continues, without a question: the bucket is
// empty.
func TestF7InterruptedBeforeTheTags(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	a := app{bed, "before-the-tags", run.Admin(bed)}
	world.NewNamespace(t, bed, a.namespace)
	a.fault(t, testbed.Fault{Action: "s3:PutBucketTagging", Resource: "bucket", Principal: "controller", Code: "InternalError", Status: 500, Message: "We encountered an internal error.", Count: 2})
	a.forge(t, a.forgedInventory(""))
	a.forge(t, a.forgedBucket(a.forgedTags()))
	install := []string{"install", "-n", a.namespace, "--verify=false"}
	run.Eventually(t, "the bucket exists", func(ctx context.Context) error {
		_, err := bed.S3().HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String(a.bucket())})
		return err
	})
	a.user.Run(t, install...).WantCode(t, done).WantTalk(t, "~ bucket", "exists, 0 objects")
}

// TestF4FirstRouteNeedsAYes: a run that creates the first Route to a bucket with objects
// asks, and the inventory does not answer. A run that changes nothing about it does not
// ask: not for another change, and not to restore the tags of the bucket.
func TestF4FirstRouteNeedsAYes(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	a := app{bed, "first-route", run.Admin(bed)}
	install := func(args ...string) run.Result {
		return a.user.Run(t, append([]string{"install", "-n", a.namespace, "--verify=false"}, args...)...)
	}
	world.NewNamespace(t, bed, a.namespace)
	install("--set", "expose=none").WantCode(t, done)
	_, err := bed.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(a.bucket()), Key: aws.String("a"), Body: strings.NewReader("data")})
	orders(t, err)
	const asks = "first-route-bucket exists already and has 1 object, 4 B: everybody who can reach the Route ostoy-route (http) will list"
	for _, origin := range []string{"created", "adopted", ""} {
		a.user.Kubectl(t, "patch", "configmap", "ostoy-s3", "-n", a.namespace, "--type=merge", "-p", `{"data":{"bucketOrigin":"`+origin+`"}}`).WantCode(t, done)
		install("--reset-values").WantCode(t, misused).WantTalk(t, asks)
	}
	install("--reset-values", "--yes").WantCode(t, done)
	install("--set", "microservice.replicas=2").WantCode(t, done).WantTalk(t, "1 updated")

	// A Route that was deleted is created after a yes, and status says so.
	a.user.Kubectl(t, "delete", "route", "ostoy-route", "-n", a.namespace).WantCode(t, done)
	const hint = "install asks for confirmation before it creates the Route or Ingress, because the bucket has objects; a script needs --yes"
	if told := a.user.Run(t, "status", "-n", a.namespace).WantCode(t, done); !strings.Contains(told.Stdout, hint) {
		t.Errorf("status does not say %q\n%s", hint, told)
	}
	install("--yes").WantCode(t, done)
	if told := a.user.Run(t, "status", "-n", a.namespace).WantCode(t, done); strings.Contains(told.Stdout, hint) {
		t.Errorf("status still says it\n%s", told)
	}

	// The resolution of the check bucket-settings.
	_, err = bed.S3().DeleteBucketTagging(t.Context(), &s3.DeleteBucketTaggingInput{Bucket: aws.String(a.bucket())})
	orders(t, err)
	a.user.Kubectl(t, "delete", "buckets.s3.services.k8s.aws", a.bucket(), "-n", a.namespace).WantCode(t, done)
	install("--adopt=bucket").WantCode(t, done).WantTalk(t, "~ bucket", "exists, 1 object, 4 B")
}

// TestF4RouteOfOthers: a Route that exists although the values ask for none is not
// reported as no Route, by install and by status alike.
func TestF4RouteOfOthers(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	a := app{bed, "route-of-others", run.Admin(bed)}
	world.NewNamespace(t, bed, a.namespace)
	a.user.Typing(forgedRoute).Kubectl(t, "apply", "-n", a.namespace, "-f", "-").WantCode(t, done)
	const host = "http://ostoy-route-route-of-others.apps.lab.example.com"
	run.Eventually(t, "the Route is admitted", func(context.Context) error {
		if got := a.user.Kubectl(t, "get", "route", "ostoy-route", "-n", a.namespace, "-o", "jsonpath={.status.ingress[0].host}"); got.Stdout == "" {
			return errors.New("it is not")
		}
		return nil
	})
	none := []string{"-n", a.namespace, "--set", "expose=none"}
	const says = "everybody who can reach " + host + " lists, reads, writes and overwrites every object of route-of-others-bucket, without a password; " +
		"the installation does not manage the Route ostoy-route"
	var document struct{ Access string }
	a.user.Run(t, append([]string{"install", "--verify=false", "-o", "json"}, none...)...).WantCode(t, done).WantTalk(t, "access    "+says, "access: "+says).JSON(t, &document)
	a.wantAccess(t, document.Access, none...)
	a.wantAccess(t, document.Access, "-n", a.namespace)
	a.user.Kubectl(t, "delete", "route", "ostoy-route", "-n", a.namespace).WantCode(t, done)
	a.user.Run(t, append([]string{"install", "--verify=false", "-o", "json"}, none...)...).WantCode(t, done).JSON(t, &document)
	if !strings.HasPrefix(document.Access, "the installation has no Route or Ingress: ") {
		t.Errorf("access is %q", document.Access)
	}
	a.wantAccess(t, document.Access, none...)
	a.wantAccess(t, document.Access, "-n", a.namespace)
}

// wantAccess wants status to say the same of access as install.
func (a app) wantAccess(t *testing.T, want string, args ...string) {
	t.Helper()
	var report struct{ Access string }
	a.user.Run(t, append([]string{"status", "-o", "json"}, args...)...).WantCode(t, done).JSON(t, &report)
	if report.Access != want || want == "" {
		t.Errorf("status says\n%s\ninstall says\n%s", report.Access, want)
	}
	if shown := a.user.Run(t, append([]string{"status"}, args...)...).WantCode(t, done); !strings.Contains(shown.Stdout, want) {
		t.Errorf("status does not say %q\n%s", want, shown)
	}
}
