package trouble_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// overrun is how much later than its --timeout a run may end here. The tool
// promises two seconds; what it is held up by would last for hours, and the
// machines of tests are noisy.
const overrun = 30 * time.Second

// heldUp is one place at which a run is held up, and what it must say that it
// was waiting for.
type heldUp struct {
	place  place
	says   string
	answer http.HandlerFunc // nil: never
	code   int              // 0: 1
}

// wantInTime runs a command that is held up at a place, and wants it to end
// soon after its --timeout, to say what it was waiting for and that it can be
// continued. The limit grows until the run gets there before its end.
func wantInTime(t *testing.T, user *spoilt, c heldUp, args ...string) {
	t.Helper()
	if c.answer == nil {
		c.answer = never
	}
	for limit := 3 * time.Second; ; limit *= 2 {
		user.at(c.place, c.answer)
		result := user.Run(t, append(slices.Clone(args), "--timeout", limit.String())...)
		switch {
		case user.times() == 0 && result.Code == done:
			t.Fatalf("no request was made to %s\n%s", c.place, result)
		case user.times() == 0 && limit < time.Minute:
			continue
		}
		want := message{"not done within --timeout " + limit.String(), c.says, "run the same command again"}
		if c.code == notReady {
			want.what = "not ready after"
		}
		wantMessages(t, result, max(c.code, failed), want)
		result.WantStdout(t, "")
		if user.times() == 0 || result.Took > limit+overrun {
			t.Errorf("held at %s %d times, took %s of %s\n%s", c.place, user.times(), result.Took, limit, result)
		}
		return
	}
}

// TestTimeoutOfInstall: whatever does not answer, the time is up for it, too.
// The places of one list follow each other, so that each run goes on where the
// one before was cut off; the last one ends well.
func TestTimeoutOfInstall(t *testing.T) {
	t.Parallel()
	for namespace, places := range map[string][]heldUp{
		"timeout-reads": {
			{place: "GET /infrastructures/cluster", says: "GET … /infrastructures/cluster"},
			{place: "GET /namespaces/timeout-reads", says: "GET … /namespaces/timeout-reads"},
			{place: "GET /configmaps/ostoy-s3", says: "ConfigMap ostoy-s3 to be read"},
			{place: "iam:GetCallerIdentity", says: "sts:GetCallerIdentity"},
			{place: "POST /selfsubjectrulesreviews", says: "POST … /selfsubjectrulesreviews"},
			{place: "GET /secrets/ostoy-secret", says: "Secret ostoy-secret to be read"},
			{place: "s3:HEAD /timeout-reads-bucket", says: "s3:HeadBucket"},
			{place: "iam:GetOpenIDConnectProvider", says: "iam:GetOpenIDConnectProvider"},
			{place: "iam:GetRole", says: "iam:GetRole"},
		},
		"timeout-writes": {
			{place: "PATCH /configmaps/ostoy-s3", says: "ConfigMap ostoy-s3 to be applied"},
			{place: "iam:CreateRole", says: "iam:CreateRole"},
			{place: "iam:PutRolePolicy", says: "iam:PutRolePolicy"},
			{place: "PATCH /services/ostoy-frontend-svc", says: "Service ostoy-frontend-svc to be", answer: later},
			{place: "PATCH /deployments/ostoy-frontend", says: "Deployment ostoy-frontend to be applied"},
			{place: "GET /pods", says: "Deployment ostoy-frontend", code: notReady},
			{place: "GET /buckets", says: "not looked at yet", code: notReady},
		},
	} {
		t.Run(namespace, func(t *testing.T) {
			t.Parallel()
			bed := run.TheBed(t)
			world.NewNamespace(t, bed, namespace)
			user := spoil(t, run.Admin(bed))
			for _, c := range places {
				wantInTime(t, user, c, "install", "-n", namespace)
			}
			user.at("", nil)
			user.Run(t, "install", "-n", namespace).WantCode(t, done)
			wantHealthy(t, bed, namespace)
		})
	}
}

// TestTimeoutOfUninstall is the same for the way back.
func TestTimeoutOfUninstall(t *testing.T) {
	t.Parallel()
	for namespace, places := range map[string][]heldUp{
		"timeout-looks": {
			{place: "iam:GetCallerIdentity", says: "sts:GetCallerIdentity"},
			{place: "GET /deployments", says: "Deployment * to be read"},
			{place: "GET /configmaps/ostoy-s3", says: "ConfigMap ostoy-s3 to be read"},
			{place: "s3:GET /timeout-looks-bucket versions", says: "s3:ListObjectVersions"},
			{place: "iam:GetRole", says: "iam:GetRole"},
			{place: "DELETE /deployments/ostoy-frontend", says: "Deployment ostoy-frontend to be deleted"},
			{place: "GET /pods", says: "the pods of the workload to be listed"},
		},
		"timeout-goes": {
			{place: "DELETE /secrets/ostoy-secret", says: "Secret ostoy-secret to be deleted", answer: later},
			{place: "DELETE /buckets/timeout-goes-bucket", says: "Bucket timeout-goes-bucket to be deleted"},
			{place: "s3:DELETE /timeout-goes-bucket", says: "s3:DeleteBucket"},
			{place: "iam:DeleteRolePolicy", says: "iam:DeleteRolePolicy"},
			{place: "iam:DeleteRole", says: "iam:DeleteRole"},
			{place: "DELETE /configmaps/ostoy-s3", says: "ConfigMap ostoy-s3 to be deleted"},
		},
	} {
		t.Run(namespace, func(t *testing.T) {
			t.Parallel()
			bed := run.TheBed(t)
			world.NewNamespace(t, bed, namespace)
			run.Admin(bed).Run(t, "install", "-n", namespace).WantCode(t, done)
			user := spoil(t, run.Admin(bed))
			for _, c := range places {
				wantInTime(t, user, c, "uninstall", "-n", namespace)
			}
			user.at("", nil)
			user.Run(t, "uninstall", "-n", namespace).WantCode(t, done)
			wantGone(t, bed, namespace)
		})
	}
}

// wantGone wants nothing in AWS, and nothing in the project but the volume,
// which is data, and what every project has.
func wantGone(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	for key := range world.Look(t, bed, namespace) {
		switch key {
		case "namespace/" + namespace, "configmaps/kube-root-ca.crt", "serviceaccounts/default", "persistentvolumeclaims/ostoy-pvc":
		default:
			t.Errorf("%s is left", key)
		}
	}
}

// TestTimeoutOfPods: pods that never get ready end an install with 3, pods that
// never end an uninstall with 1, both by name.
func TestTimeoutOfPods(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "timeout-pods"
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	if err := bed.FailPods(t.Context(), namespace, testbed.FailInit, ""); err != nil {
		t.Fatal(err)
	}
	const limit = 20 * time.Second
	// Everything is there but the pods: what the limit is for is the wait for them, however slow the machine.
	admin.Run(t, "install", "-n", namespace, "--wait=false").WantCode(t, done)
	for _, args := range [][]string{{"--timeout", limit.String()}, {"--timeout", limit.String(), "-o", "json"}} {
		result := admin.Run(t, append([]string{"install", "-n", namespace}, args...)...)
		if result.WantCode(t, notReady); result.Took > limit+overrun {
			t.Errorf("took %s\n%s", result.Took, result)
		}
	}
	name, letGo := holdPod(t, bed, namespace)
	result := admin.Run(t, "uninstall", "-n", namespace, "--timeout", limit.String())
	wantMessages(t, result, failed, message{"not done within --timeout " + limit.String(), "waiting for 1 pod to end: " + name + " … removed so far: 2 Deployments", "run the same command again"})
	if result.Took > limit+overrun {
		t.Errorf("took %s\n%s", result.Took, result)
	}
	letGo()
	admin.Run(t, "uninstall", "-n", namespace).WantCode(t, done)
	wantGone(t, bed, namespace)
}
