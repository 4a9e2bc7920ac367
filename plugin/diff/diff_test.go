package diff

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session/sessiontest"
)

func request() Request { return Request{Timeout: time.Minute, Facts: sessiontest.Given()} }

// TestRun: everything is new: the diff on stdout, and nothing is persisted.
func TestRun(t *testing.T) {
	server, account := sessiontest.Empty(t)
	s, stdout, stderr := sessiontest.New(t, server, account)
	changed, err := Run(t.Context(), s, request())
	if err != nil || !changed {
		t.Fatalf("%t, %v\n%s", changed, err, stderr)
	}
	for _, want := range []string{"+kind: Bucket", "+  name: ostoy-frontend", "iam.role."} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("no %q in\n%.2000s", want, stdout)
		}
	}
	for request := range server.Persisted() {
		if !strings.Contains(request, "authorization.k8s.io") {
			t.Errorf("persists by %s", request)
		}
	}
}

// TestRunRefuses: what install would refuse is the error, and the rest is printed all the
// same; what ends the comparison is not.
func TestRunRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*clustertest.Server, *awstest.Server, *Request)
		kind   problem.Kind
		prints bool
	}{
		"no provider": {func(_ *clustertest.Server, a *awstest.Server, _ *Request) {
			a.Refuse("GetOpenIDConnectProvider", 404, "NoSuchEntity", "none")
		}, problem.Refused, true},
		"an object that may not be patched": {func(s *clustertest.Server, _ *awstest.Server, _ *Request) {
			s.Forbid("PATCH /api/v1/namespaces/demo/services/ostoy-frontend-svc", "patch", "services", "", `in the namespace "demo"`)
		}, problem.Failed, true},
		"a value that cannot be": {func(_ *clustertest.Server, _ *awstest.Server, r *Request) { r.Chart.Set = []string{"expose=maybe"} }, problem.Usage, false},
		"a file that is missing": {func(_ *clustertest.Server, _ *awstest.Server, r *Request) { r.Chart.Files = []string{"/nope.yaml"} }, problem.Usage, false},
		"a project on its way out": {func(s *clustertest.Server, _ *awstest.Server, _ *Request) {
			s.Answer("GET /api/v1/namespaces/demo", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "demo", "deletionTimestamp": "2026-01-01T00:00:00Z"}})
		}, problem.Refused, false},
		"credentials refused": {func(_ *clustertest.Server, a *awstest.Server, _ *Request) {
			a.Refuse("GetCallerIdentity", 403, "ExpiredToken", "")
		}, problem.Failed, false},
	} {
		t.Run(name, func(t *testing.T) {
			server, account := sessiontest.Empty(t)
			r := request()
			c.change(server, account, &r)
			s, stdout, _ := sessiontest.New(t, server, account)
			_, err := Run(t.Context(), s, r)
			var several *problem.Several
			var told *problem.Error
			kind := problem.Kind(0)
			switch {
			case errors.As(err, &several):
				kind = several.Kind()
			case errors.As(err, &told):
				kind = told.Kind
			}
			if kind != c.kind || strings.Contains(stdout.String(), "kind: Bucket") != c.prints {
				t.Errorf("kind %d, want %d: %v\n%.500s", kind, c.kind, err, stdout)
			}
		})
	}
}

// TestRunIsInterrupted: nothing was changed, and the error says so.
func TestRunIsInterrupted(t *testing.T) {
	server, account := sessiontest.Empty(t)
	s, _, _ := sessiontest.New(t, server, account)
	ended, end := context.WithCancel(t.Context())
	end()
	_, err := Run(ended, s, request())
	var told *problem.Error
	if !errors.As(err, &told) || told.Kind != problem.Interrupted || !strings.Contains(told.Why, "nothing was changed") {
		t.Errorf("%v", err)
	}
}
