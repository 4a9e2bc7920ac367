package detect

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func TestNoKubeconfigAndNoCredentials(t *testing.T) {
	noAWS(t)
	connect := func() (*cluster.Conn, error) {
		return nil, &problem.Error{Kind: problem.Usage, What: "no cluster is configured", Why: "there is no kubeconfig", Next: "oc login", Err: cluster.ErrNotConfigured}
	}
	result, err := Detect(t.Context(), Request{Connect: connect, Policy: AskNeeded})
	if err != nil {
		t.Fatal(err)
	}
	err = result.Require()
	flaw := (*problem.Error)(nil)
	if !problem.IsInput(err) || !errors.As(err, &flaw) {
		t.Fatalf("%T %v", err, err)
	}
	for _, text := range []string{"namespace", "issuer", "accountID", "region", "platform", "no cluster is configured", "AWS credentials"} {
		if !strings.Contains(flaw.Why, text) {
			t.Errorf("%q is missing in:\n%s", text, flaw.Why)
		}
	}
	if !strings.Contains(flaw.Next, "--account-id") || !strings.Contains(flaw.Next, "--oidc-issuer") {
		t.Errorf("%s", flaw.Next)
	}
	if _, err = Detect(t.Context(), Request{Connect: connect}); !errors.Is(err, cluster.ErrNotConfigured) && !errors.Is(err, ErrNoCredentials) {
		t.Errorf("install goes on without: %v", err)
	}
}

func TestNoCredentials(t *testing.T) {
	noAWS(t)
	_, err := Detect(t.Context(), Request{Connect: connector(openshift(t, "External", true))})
	p := (*problem.Error)(nil)
	if !errors.As(err, &p) || p.Kind != problem.Failed || !errors.Is(err, ErrNoCredentials) || p.Next == "" {
		t.Errorf("%v", err)
	}
	t.Setenv("AWS_PROFILE", "no-such-profile")
	_, err = Detect(t.Context(), Request{Connect: connector(openshift(t, "External", true))})
	if !errors.As(err, &p) || !strings.Contains(err.Error(), "profile") {
		t.Errorf("%v", err)
	}
}

func TestFailingSource(t *testing.T) {
	fakeSTS(t, adminARN)
	s := openshift(t, "External", true)
	for _, path := range []string{infraPath, authPath, versionPath, docPath, "GET /version", "GET /api", "GET /apis"} {
		s.Refuse(path, 401, "Unauthorized", "Unauthorized")
	}
	_, err := Detect(t.Context(), Request{Connect: connector(s)})
	p := (*problem.Error)(nil)
	if !errors.As(err, &p) || p.Kind != problem.Failed || !strings.Contains(p.Next, "oc login") {
		t.Errorf("%v", err)
	}
	result, err := Detect(t.Context(), Request{Connect: connector(s), Policy: AskNeeded})
	if err != nil || result.ClusterFailure == nil {
		t.Fatalf("%+v, %v", result, err)
	}
	err = result.Require()
	if !errors.As(err, &p) || p.Kind != problem.Failed || !strings.Contains(p.Why, "issuer") || !strings.Contains(p.Next, "oc login") || !strings.Contains(p.Next, "--oidc-issuer") {
		t.Errorf("%+v", err)
	}
}

func TestInterrupted(t *testing.T) {
	fakeSTS(t, adminARN)
	ctx, cancel := context.WithCancel(t.Context())
	s := openshift(t, "External", true)
	s.Hold = func(r *http.Request) { cancel(); <-r.Context().Done() }
	for _, policy := range []Policy{AskMissing, AskNeeded} {
		if _, err := Detect(ctx, Request{Connect: connector(s), Policy: policy}); !errors.Is(err, context.Canceled) {
			t.Errorf("policy %d: %v", policy, err)
		}
	}
}
