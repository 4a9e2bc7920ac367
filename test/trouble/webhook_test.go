package trouble_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

const byWebhook = "podIdentity=webhook"

// wantInjected wants every pod of the frontend to have what the webhook gives,
// for the audience the role trusts although ROSA HCP's own is another.
func wantInjected(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	pods, err := bed.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=ostoy-frontend"})
	if err != nil {
		t.Fatal(err)
	}
	living := 0
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp != nil {
			continue
		}
		living++
		text := world.InJSON(pod.Spec)
		for _, piece := range []string{
			`"name":"aws-iam-token"`, `"audience":"sts.amazonaws.com"`, `"name":"AWS_STS_REGIONAL_ENDPOINTS","value":"regional"`,
			"arn:aws:iam::" + testbed.Account + ":role" + rolePath + world.RoleName(bed.Issuer, namespace),
		} {
			if !strings.Contains(text, piece) {
				t.Errorf("pod %s lacks %s", pod.Name, piece)
			}
		}
	}
	if living == 0 {
		t.Error("no pods")
	}
}

// TestWebhookInjects on ROSA HCP, whose webhook has another audience than the
// role: the annotation tells it ours.
func TestWebhookInjects(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "webhook-works"
	world.NewNamespace(t, bed, namespace)
	result := run.Admin(bed).Run(t, "install", "-n", namespace, "--set", byWebhook).WantCode(t, done)
	result.WantNoTalk(t, "came without its AWS identity")
	wantInjected(t, bed, namespace)
}

// TestWebhookMisses once: the pod is deleted, once, and the reader is told.
func TestWebhookMisses(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "webhook-misses"
	world.NewNamespace(t, bed, namespace)
	bed.Webhook.Miss(namespace, 1)
	result := run.Admin(bed).Run(t, "install", "-n", namespace, "--set", byWebhook).WantCode(t, done)
	if n := strings.Count(result.Stderr, "came without its AWS identity"); n != 1 {
		t.Errorf("told %d times\n%s", n, result)
	}
	wantInjected(t, bed, namespace)
}

// TestWebhookAway: every pod comes without identity; deleting more of them
// would not help.
func TestWebhookAway(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "webhook-away"
	world.NewNamespace(t, bed, namespace)
	bed.Webhook.Miss(namespace, 1000)
	wantHopeless(t, run.Admin(bed), namespace, "Deployment ostoy-frontend", message{
		"Deployment ostoy-frontend will not become ready", "its pods get no AWS identity", "--set podIdentity=projected",
	}, "--set", byWebhook)
	run.Admin(bed).Run(t, "install", "-n", namespace, "--set", "podIdentity=projected").WantCode(t, done)
}
