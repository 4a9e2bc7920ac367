package testbed_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestPlatforms looks at what differs between platforms, on beds that lack
// something. They follow each other: side by side they would starve.
func TestPlatforms(t *testing.T) {
	for _, c := range []struct {
		options            testbed.Options
		webhook, openShift string
	}{
		{testbed.Options{Platform: testbed.ROSAHCP, NoBucketRights: true}, "aws-pod-identity", "External"},
		{testbed.Options{Platform: testbed.EKS}, "pod-identity-webhook", ""},
		{testbed.Options{Platform: testbed.Kubernetes, Issuer: "https://kubernetes.default.svc", NoProvider: true}, "", ""},
	} {
		t.Run(string(c.options.Platform), func(t *testing.T) {
			bed := start(t, c.options)
			hooks, err := bed.Client.AdmissionregistrationV1().MutatingWebhookConfigurations().List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			names := ""
			for _, hook := range hooks.Items {
				names += hook.Name
			}
			if names != c.webhook {
				t.Errorf("webhooks %q, want %q", names, c.webhook)
			}
			text, err := kubectl(t.Context(), bed, bed.Kubeconfig, "get", "infrastructure", "cluster", "-o", "jsonpath={.status.controlPlaneTopology}", "--ignore-not-found")
			if served := err == nil; served != (c.openShift != "") || served && text != c.openShift {
				t.Errorf("topology %q, %v", text, err)
			}
			if issuer := issuerOfToken(t, bed); issuer != bed.Issuer {
				t.Errorf("issuer %q, want %q", issuer, bed.Issuer)
			}
			checkBucketRights(t, bed, !c.options.NoBucketRights)
		})
	}
}

// issuerOfToken is what an ordinary admin of a namespace can find out.
func issuerOfToken(t *testing.T, bed *testbed.Bed) string {
	t.Helper()
	var token string
	eventually(t, "token", func(ctx context.Context) error {
		got, err := bed.Client.CoreV1().ServiceAccounts("default").CreateToken(ctx, "default",
			&authentication.TokenRequest{}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil {
			token = got.Status.Token
		}
		return err
	})
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Iss string }
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims.Iss
}

// checkBucketRights asks whether an admin of a namespace may create Buckets.
func checkBucketRights(t *testing.T, bed *testbed.Bed, want bool) {
	t.Helper()
	if err := bed.NewNamespace(t.Context(), "rights", "bob"); err != nil {
		t.Fatal(err)
	}
	ask := func(ctx context.Context, group, resource string) (bool, error) {
		review, err := bed.Client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorization.SubjectAccessReview{
			Spec: authorization.SubjectAccessReviewSpec{User: "bob", ResourceAttributes: &authorization.ResourceAttributes{
				Namespace: "rights", Verb: "create", Group: group, Resource: resource,
			}},
		}, metav1.CreateOptions{})
		if err != nil {
			return false, err
		}
		return review.Status.Allowed, nil
	}
	eventually(t, "admin of the namespace", func(ctx context.Context) error {
		if allowed, err := ask(ctx, "", "configmaps"); err != nil || !allowed {
			return fmt.Errorf("not yet: %v", err)
		}
		return nil
	})
	if allowed, err := ask(t.Context(), "s3.services.k8s.aws", "buckets"); err != nil || allowed != want {
		t.Errorf("may create Buckets: %v, %v; want %v", allowed, err, want)
	}
}
