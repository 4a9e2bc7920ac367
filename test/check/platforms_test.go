package check_test

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestGoodInstalls: on no platform, and with neither way to an identity, does a
// good install make any check say anything. ROSA HCP has TestFaultsOfANamespace.
func TestGoodInstalls(t *testing.T) {
	t.Parallel()
	for _, platform := range []testbed.Platform{testbed.EKS, testbed.Kubernetes} {
		t.Run(string(platform), func(t *testing.T) {
			bed := start(t, testbed.Options{Platform: platform})
			t.Run("projected", func(t *testing.T) {
				t.Parallel()
				fault{}.play(t, &installs{bed: bed}, "projected")
			})
			if bed.Webhook == nil {
				return
			}
			t.Run("webhook", func(t *testing.T) {
				t.Parallel()
				byWebhook := []string{"--set", "podIdentity=webhook"}
				fault{with: byWebhook, flags: byWebhook}.play(t, &installs{bed: bed}, "webhook")
			})
		})
	}
}
