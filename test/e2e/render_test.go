package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testRenderEqualsInstall: what render prints is what install applies. kubectl
// finds no difference, also after the controllers have written to the objects;
// facts on paper give the same bytes.
func testRenderEqualsInstall(t *testing.T, bed *testbed.Bed) {
	const namespace = "rendered"
	admin := installed(t, bed, namespace)
	manifests := admin.Run(t, "render", "-n", namespace).WantCode(t, 0)
	if again := admin.Run(t, "render", "-n", namespace).WantCode(t, 0); again.Stdout != manifests.Stdout {
		t.Errorf("two runs print other bytes\n%s\n%s", manifests, again)
	}
	admin.WantNothingToApply(t, manifests.Stdout)

	facts := filepath.Join(t.TempDir(), "facts.yaml")
	known := admin.Run(t, "facts", "-n", namespace, "-o", "yaml").WantCode(t, 0)
	if err := os.WriteFile(facts, []byte(known.Stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	plane := run.User{Bed: bed, Kubeconfig: "/nowhere"}.With("AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=")
	offline := plane.Run(t, "render", "--facts", facts).WantCode(t, 0)
	offline.WantStdout(t, manifests.Stdout)
	offline.WantStdout(t, plane.Typing(known.Stdout).Run(t, "render", "--facts", "-").WantCode(t, 0).Stdout)
}

// testRenderAlone: a cluster admin applies what render prints, namespace
// included, without any install; all objects get healthy. Only the role, which
// is not among the objects, is missing.
func testRenderAlone(t *testing.T, bed *testbed.Bed) {
	const namespace = "applied"
	admin := run.Admin(bed)
	manifests := admin.Run(t, "render", "-n", namespace, "--include-namespace").WantCode(t, 0).Stdout
	wantOrder(t, manifests, "kind: Namespace", "kind: ServiceAccount", "name: ostoy-microservice\n", "kind: PersistentVolumeClaim", "name: ostoy-frontend\n")
	admin.Typing(manifests).Kubectl(t, "apply", "--server-side", "-f", "-").WantCode(t, 0)
	for _, args := range [][]string{
		{"wait", "--for=condition=Ready", "buckets.s3.services.k8s.aws/" + namespace + "-bucket"},
		{"rollout", "status", "deployment/ostoy-frontend"},
		{"rollout", "status", "deployment/ostoy-microservice"},
		{"wait", "--for=jsonpath={.status.phase}=Bound", "pvc/ostoy-pvc"},
	} {
		admin.Kubectl(t, append(args, "--timeout=3m", "-n", namespace)...).WantCode(t, 0)
	}
	eventually(t, "route", func(context.Context) error { return admitted(t, bed, namespace) })
	wantBucket(t, bed, namespace, testbed.ClusterID)
	wantFrontend(t, bed, namespace)
	admin.WantNothingToApply(t, manifests)
	wantNoAWSWrites(t, bed, namespace)
}

// wantOrder wants texts to follow each other.
func wantOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Errorf("%q is missing or comes too early in\n%s", part, text)
			return
		}
		rest = after
	}
}

// testInstallOverKubectl: objects that came by kubectl are found to be as they
// should be, taken into the inventory, and said to be.
func testInstallOverKubectl(t *testing.T, bed *testbed.Bed) {
	const namespace = "taken-over"
	admin := run.Admin(bed)
	if err := bed.NewNamespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	manifests := admin.Run(t, "render", "-n", namespace).WantCode(t, 0).Stdout
	admin.Typing(manifests).Kubectl(t, "apply", "--server-side", "-f", "-").WantCode(t, 0)
	bucket := "buckets.s3.services.k8s.aws/" + namespace + "-bucket"
	admin.Kubectl(t, "wait", "--for=condition=Ready", bucket, "--timeout=3m", "-n", namespace).WantCode(t, 0)
	before := specs(t, bed, namespace)

	result := install(t, admin, "-n", namespace)
	result.WantStdout(t, wantURL(bed, namespace))
	result.WantTalk(t, "✔ role ", "already as it is to be, and taken into the inventory")
	wantSame(t, before, specs(t, bed, namespace))
	wantRole(t, bed, namespace, testbed.ClusterID)
	install(t, admin, "-n", namespace).WantTalk(t, "nothing to change")
	admin.WantNothingToApply(t, manifests)
}
