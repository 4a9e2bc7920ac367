package checkup

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session/sessiontest"
)

func request(change func(*Request)) Request {
	r := Request{Facts: sessiontest.Given(), Pre: true, FailOn: check.Error, Timeout: time.Minute, Output: session.FormatJSON}
	change(&r)
	return r
}

// TestRun: each finding is in the document, and the error is the verdict.
func TestRun(t *testing.T) {
	for name, c := range map[string]struct {
		play   func(*clustertest.Server, *awstest.Server)
		change func(*Request)
		kind   problem.Kind // 0: all is well
		id     string       // a check that is in the document
		status check.Status
	}{
		"a pass": {func(*clustertest.Server, *awstest.Server) {}, func(r *Request) { r.Only = []string{check.IDProvider} }, 0, check.IDProvider, check.Passed},
		"a failure": {
			func(_ *clustertest.Server, a *awstest.Server) {
				a.Refuse("GetOpenIDConnectProvider", 404, "NoSuchEntity", "")
			},
			func(*Request) {}, problem.Refused, check.IDProvider, check.Failed,
		},
		"no controller":           {func(*clustertest.Server, *awstest.Server) {}, func(*Request) {}, problem.Refused, check.IDController, check.Failed},
		"no credentials":          {func(_ *clustertest.Server, a *awstest.Server) { a.Refuse("GetCallerIdentity", 403, "ExpiredToken", "") }, func(*Request) {}, problem.Refused, check.IDCredentials, check.Failed},
		"one, by an old id":       {func(*clustertest.Server, *awstest.Server) {}, func(r *Request) { r.Pre, r.Only = false, []string{"bucket-name"} }, problem.Refused, "bucket-object", check.Failed},
		"a value that cannot be":  {func(*clustertest.Server, *awstest.Server) {}, func(r *Request) { r.Chart.Set = []string{"expose=maybe"} }, problem.Usage, "", ""},
		"an id that no check has": {func(*clustertest.Server, *awstest.Server) {}, func(r *Request) { r.Only = []string{"nope"} }, problem.Usage, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			server, account := sessiontest.Empty(t)
			c.play(server, account)
			s, stdout, stderr := sessiontest.New(t, server, account)
			err := Run(t.Context(), s, request(c.change))
			var told *problem.Error
			if (err == nil) != (c.kind == 0) || err != nil && (!errors.As(err, &told) || told.Kind != c.kind) {
				t.Fatalf("%v\n%s%s", err, stdout, stderr)
			}
			if c.id == "" {
				return
			}
			var document struct{ Checks []checkDocument }
			if err := json.Unmarshal(stdout.Bytes(), &document); err != nil {
				t.Fatal(err)
			}
			for _, one := range document.Checks {
				if one.ID == c.id && one.Status == c.status {
					return
				}
			}
			t.Errorf("no %s that %s among\n%s", c.id, c.status, stdout)
		})
	}
}

// TestRunWaits: it looks again until nothing fails, and says what it waits for.
func TestRunWaits(t *testing.T) {
	server, account := sessiontest.Empty(t)
	var looks atomic.Int32
	account.Handle("GetOpenIDConnectProvider", func(w http.ResponseWriter, _ *http.Request) {
		if looks.Add(1) == 1 {
			http.Error(w, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>", http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, "<GetOpenIDConnectProviderResponse><GetOpenIDConnectProviderResult><Url>oidc.example.com/one</Url>"+
			"<ClientIDList><member>sts.amazonaws.com</member></ClientIDList></GetOpenIDConnectProviderResult></GetOpenIDConnectProviderResponse>")
	})
	s, _, stderr := sessiontest.New(t, server, account)
	err := Run(t.Context(), s, request(func(r *Request) { r.Wait, r.Only = true, []string{check.IDProvider} }))
	if err != nil || !strings.Contains(stderr.String(), "waiting for "+check.IDProvider) {
		t.Errorf("%v\n%s", err, stderr)
	}
}

// TestRunIsInterrupted: nothing was changed, and the error says so.
func TestRunIsInterrupted(t *testing.T) {
	server, account := sessiontest.Empty(t)
	s, _, _ := sessiontest.New(t, server, account)
	ended, end := context.WithCancel(t.Context())
	end()
	var told *problem.Error
	if err := Run(ended, s, request(func(*Request) {})); !errors.As(err, &told) || told.Kind != problem.Interrupted || !strings.Contains(told.Why, "checks only look") {
		t.Errorf("%v", err)
	}
}
