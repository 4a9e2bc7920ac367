package testbed_test

import (
	"strings"
	"testing"
	"text/template"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestChart brings the controller to a bed without OLM and without a controller,
// as somebody does who applies what ACK's chart renders.
func TestChart(t *testing.T) {
	bed := start(t, testbed.Options{Platform: testbed.EKS, NoController: true})
	if bed.OLM != nil {
		t.Error("EKS has OLM")
	}
	if err := bed.NewNamespace(t.Context(), "charted"); err != nil {
		t.Fatal(err)
	}
	bed.Webhook.Miss("ack-system", 1)
	for _, name := range []string{"crd-bucket", "ack-helm"} {
		var text strings.Builder
		parsed, err := template.ParseFiles("manifests/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := parsed.Execute(&text, map[string]any{"OpenShift": false, "Webhook": true, "Region": testbed.Region}); err != nil {
			t.Fatal(err)
		}
		apply(t, bed, "", text.String())
	}
	eventually(t, "missed by the webhook", podLog(bed, "unable to get caller identity"))
	apply(t, bed, "charted", bucketManifest)
	run := func(args ...string) {
		t.Helper()
		if _, err := kubectl(t.Context(), bed, bed.Kubeconfig, args...); err != nil {
			t.Fatal(err)
		}
	}
	run("delete", "pods", "-n", "ack-system", "--all")
	eventually(t, "bucket", bucketCondition(bed, "charted", "Ready", "True"))
	run("rollout", "status", "deployments", "-n", "ack-system", "--timeout=60s")
	run("delete", "deployments", "-n", "ack-system", "--all")
	eventually(t, "idle", works(bed, false))
}
