package e2e

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testFirstAndSecond installs from nothing, looks at everything that must be
// there then, and installs again, which must change nothing. The requests of
// both are counted.
func testFirstAndSecond(t *testing.T, user run.User, namespace string) {
	where := whereTo(user, namespace)
	made := where[0] != "-n"

	first, asked := counted(t, user, append([]string{"install"}, where...)...)
	first.WantCode(t, 0).WantStdout(t, wantURL(user.Bed, namespace))
	first.WantTalk(t, "Plan", "✔ role ", "✔ "+namespace+"-bucket", "✔ ostoy-frontend")
	wantFirstRequests(t, asked)
	wantEndState(t, user.Bed, namespace, made)

	before := dump(t, user.Bed, namespace)
	second, asked := counted(t, user, "install", "-n", namespace)
	second.WantCode(t, 0).WantStdout(t, wantURL(user.Bed, namespace))
	second.WantTalk(t, "nothing to change").WantNoTalk(t, "Plan", "created", "updated")
	wantSecondRequests(t, asked)
	wantSame(t, before, dump(t, user.Bed, namespace))
}

// wantURL is all of stdout: the URL alone, or nothing where nothing leads to
// the app from outside.
func wantURL(bed *testbed.Bed, namespace string) string {
	if !bed.Platform.OpenShift() {
		return ""
	}
	return "http://ostoy-route-" + namespace + "." + appsDomain + "\n"
}

// appsDomain is that of the bed's Ingress configuration.
const appsDomain = "apps.lab.example.com"

// testPodSecurity: the namespace enforces "restricted", and both pods run.
func testPodSecurity(t *testing.T, bed *testbed.Bed) {
	const namespace = "restricted"
	admin := run.Admin(bed)
	if err := bed.Apply(t.Context(), `apiVersion: v1
kind: Namespace
metadata:
  name: `+namespace+`
  labels: {pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/warn: restricted}
`); err != nil {
		t.Fatal(err)
	}
	result := install(t, admin, "-n", namespace)
	result.WantNoTalk(t, "PodSecurity", "would violate")
	wantFrontend(t, bed, namespace)
	for _, values := range []string{"podIdentity=webhook", "waitForBucket.enabled=false"} {
		install(t, admin, "-n", namespace, "--set", values).WantNoTalk(t, "PodSecurity", "would violate")
	}
}

// testWebhookIdentity: in webhook mode the pod spec brings no identity, and
// pods that the webhook missed are replaced once.
func testWebhookIdentity(t *testing.T, bed *testbed.Bed) {
	const namespace = "by-webhook"
	admin := run.Admin(bed)
	if err := bed.NewNamespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	bed.Webhook.Miss(namespace, 1)
	result := install(t, admin, "-n", namespace, "--set", "podIdentity=webhook")
	result.WantStdout(t, wantURL(bed, namespace))
	pod := frontendPod(t, bed, namespace)
	if env := envOf(pod.Spec.Containers[0]); env["AWS_ROLE_ARN"] == "" || env["AWS_WEB_IDENTITY_TOKEN_FILE"] == "" {
		t.Errorf("the pod that runs has no identity: %v\n%s", env, result)
	}
	template := liveObject(t, bed, deployments, namespace, "ostoy-frontend")
	if volumes := field(t, template, "spec", "template", "spec", "volumes"); strings.Contains(volumes, "aws-iam-token") {
		t.Errorf("the Deployment carries the token itself:\n%s", volumes)
	}
}
