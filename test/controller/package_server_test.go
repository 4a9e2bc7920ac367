package controller_test

import (
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
)

// TestPackageServerIsDown: the API server answers 503 for packagemanifests then, and
// for nothing else.
func TestPackageServerIsDown(t *testing.T) {
	t.Parallel()
	s := begin(t)
	down, err := relay.Open(t.Context(), s.Bed, s.Admin.Kubeconfig, func(e *relay.Exchange) {
		if strings.Contains(e.Name, "/packagemanifests") {
			e.Answer(relay.Refusal{
				Status: http.StatusServiceUnavailable, Reason: metav1.StatusReasonServiceUnavailable,
				Message: "the server is currently unable to handle the request (get packagemanifests.packages.operators.coreos.com)",
			})
			return
		}
		e.Pass()
	})
	must(t, err)
	admin := down.User(s.Admin)
	admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, refused).WantTalk(t, "--version 1.13.0", "oc get apiservices v1.packages.operators.coreos.com")
	s.wantNothingWritten(t)
	admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--version", "1.12.2").WantCode(t, done).
		WantTalk(t, "ack-s3-controller.v1.12.2 of community-operators is taken on trust", "1.12.2 installed")
	admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, done).WantTalk(t, "nothing to change")
}
