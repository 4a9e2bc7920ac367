package install

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session/sessiontest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// played is an install in a played cluster and a played account in which everything may
// be made and nothing is there.
type played struct {
	cluster     *clustertest.Server
	aws         *awstest.Server
	session     *session.Session
	stdout, err *bytes.Buffer
}

const namespace = "demo"

func play(t *testing.T) *played {
	t.Helper()
	p := &played{}
	p.cluster, p.aws = sessiontest.Empty(t)
	p.session, p.stdout, p.err = sessiontest.New(t, p.cluster, p.aws)
	return p
}

// request is an install that does not wait.
func (p *played) request(change func(*Request)) Request {
	r := Request{Facts: sessiontest.Given(), DryRun: session.DryRunNone, Timeout: time.Minute, Output: session.FormatJSON}
	change(&r)
	return r
}

// writes are the requests that change something.
func (p *played) writes() []string {
	var writes []string
	for request := range p.cluster.Persisted() {
		if !strings.Contains(request, "authorization.k8s.io") {
			writes = append(writes, request)
		}
	}
	for _, action := range p.aws.Asked() {
		for _, verb := range []string{"Create", "Put", "Tag", "Update", "Delete", "Attach", "Detach"} {
			if strings.HasPrefix(action, verb) {
				writes = append(writes, action)
			}
		}
	}
	slices.Sort(writes)
	return writes
}

// TestRun: role and objects are created, the inventory before the first object and the
// role before the Bucket; the document says what was done.
func TestRun(t *testing.T) {
	p := play(t)
	if err := Run(t.Context(), p.session, p.request(func(*Request) {})); err != nil {
		t.Fatalf("%v\n%s", err, p.err)
	}
	var document struct {
		Role    string
		Bucket  string
		Changes []struct{ Object, Action string }
	}
	if err := json.Unmarshal(p.stdout.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	if document.Bucket != "demo-bucket" || !strings.HasSuffix(document.Role, render.RoleName("https://oidc.example.com/one", namespace)) || len(document.Changes) < 10 {
		t.Errorf("%+v", document)
	}
	writes := p.writes()
	for _, want := range []string{"CreateRole", "PutRolePolicy", "PATCH /api/v1/namespaces/demo/configmaps/ostoy-s3", "PATCH /apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets/demo-bucket"} {
		if !slices.Contains(writes, want) {
			t.Errorf("no %s among %q", want, writes)
		}
	}
}

// TestRunPersistsNothing: neither a dry run nor a script nor a refusal does.
func TestRunPersistsNothing(t *testing.T) {
	terminating := map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace, "deletionTimestamp": "2026-01-01T00:00:00Z"}}
	for name, c := range map[string]struct {
		play   func(*played)
		change func(*Request)
		kind   problem.Kind // 0: no error
		says   string
	}{
		"dry run": {func(*played) {}, func(r *Request) { r.DryRun = session.DryRunClient }, 0, "nothing was changed: this was a dry run"},
		"script":  {func(*played) {}, func(r *Request) { r.Mode, r.Output = ModeManual, "" }, 0, "nothing was changed: the script on stdout does it"},
		"project on its way out": {
			func(p *played) { p.cluster.Answer("GET /api/v1/namespaces/demo", terminating) },
			func(*Request) {}, problem.Refused, "is being deleted",
		},
		"new project that exists": {func(*played) {}, func(r *Request) { r.ProjectName = namespace }, problem.Refused, "is there already"},
		"no provider":             {func(p *played) { p.aws.Refuse("GetOpenIDConnectProvider", 404, "NoSuchEntity", "") }, func(*Request) {}, problem.Refused, "issuer"},
		"a file that is missing":  {func(*played) {}, func(r *Request) { r.Chart.Files = []string{"/nope.yaml"} }, problem.Usage, "/nope.yaml"},
		"a role that cannot be":   {func(*played) {}, func(r *Request) { r.Role.Name = "no good" }, problem.Usage, "role name"},
		"credentials refused":     {func(p *played) { p.aws.Refuse("GetCallerIdentity", 403, "ExpiredToken", "expired") }, func(*Request) {}, problem.Failed, "expired"},
		"of another account": {
			func(*played) {}, func(r *Request) { r.Facts.Given.Account = render.Fact{Value: "210987654321", Source: "flag"} },
			problem.Refused, "of account 123456789012",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t)
			c.play(p)
			err := Run(t.Context(), p.session, p.request(c.change))
			var told *problem.Error
			var several *problem.Several
			switch {
			case c.kind == 0 && err != nil, c.kind != 0 && err == nil:
				t.Fatalf("%v\n%s", err, p.err)
			case errors.As(err, &several) && several.Kind() != c.kind, !errors.As(err, &several) && errors.As(err, &told) && told.Kind != c.kind:
				t.Errorf("kind of %#v", err)
			}
			said := p.err.String()
			if err != nil {
				said += err.Error()
			}
			if !strings.Contains(said, c.says) {
				t.Errorf("does not say %q: %s", c.says, said)
			}
			if writes := p.writes(); len(writes) > 0 {
				t.Errorf("writes %q", writes)
			}
		})
	}
}

// TestRunIsInterrupted: what was done is said, and that the same command goes on.
func TestRunIsInterrupted(t *testing.T) {
	p := play(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p.aws.Handle("PutRolePolicy", func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	err := Run(ctx, p.session, p.request(func(*Request) {}))
	var told *problem.Error
	if !errors.As(err, &told) || told.Kind != problem.Interrupted || !strings.Contains(told.Why, "1 of ") || !strings.Contains(told.Next, "run the same command again") {
		t.Errorf("%+v", told)
	}
}

// TestRunIsRefused: what was done before an error is said, too.
func TestRunIsRefused(t *testing.T) {
	p := play(t)
	p.cluster.Handle("PATCH /apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets/demo-bucket", func(w http.ResponseWriter, r *http.Request) {
		object, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("dryRun") != "" {
			_, _ = w.Write(object)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(apierrors.NewForbidden(schema.GroupResource{Group: "s3.services.k8s.aws", Resource: "buckets"}, "demo-bucket", errors.New("since a moment ago")).Status())
	})
	err := Run(t.Context(), p.session, p.request(func(*Request) {}))
	if err == nil || !strings.Contains(p.err.String(), "done so far, and staying: inventory (ConfigMap ostoy-s3) written; role ") {
		t.Errorf("%v\n%s", err, p.err)
	}
}
