package install

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// forbidding is a session on a cluster in which nothing is allowed.
func forbidding(t *testing.T) (*session.Session, *clustertest.Server) {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	server := clustertest.New(t, "v1.33.0", "v1/Namespace", "apps/v1/Deployment",
		"authorization.k8s.io/v1/SelfSubjectAccessReview", "authorization.k8s.io/v1/SelfSubjectRulesReview")
	for _, review := range []string{"selfsubjectaccessreviews", "selfsubjectrulesreviews"} {
		server.Answer("POST /apis/authorization.k8s.io/v1/"+review, map[string]any{"apiVersion": "authorization.k8s.io/v1", "kind": "Review", "status": map[string]any{"allowed": false}})
	}
	streams, _, _, talk := genericiooptions.NewTestIOStreams()
	return &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: server.Getter("demo"), Now: time.Now}, server
}

// TestRunRefused: what is wrong is told before anything is written; that you are not
// allowed to install comes before what else is missing.
func TestRunRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Request)
		want   problem.Kind
		says   string
	}{
		"not allowed":               {func(*Request) {}, problem.Refused, "you may not install the ACK S3 controller"},
		"a name that none can have": {func(r *Request) { r.Facts.Given.Namespace = render.Fact{Value: "not/a/name"} }, problem.Usage, "not/a/name"},
		"no facts file":             {func(r *Request) { r.Facts.File = "/does/not/exist" }, problem.Usage, "/does/not/exist"},
	} {
		t.Run(name, func(t *testing.T) {
			s, server := forbidding(t)
			r := Request{Timeout: time.Minute, DryRun: session.DryRunNone}
			c.change(&r)
			var told *problem.Error
			if err := Run(t.Context(), s, r); !errors.As(err, &told) || told.Kind != c.want || !strings.Contains(told.Error(), c.says) {
				t.Errorf("%v", err)
			}
			for path := range server.Persisted() {
				if !strings.Contains(path, "authorization.k8s.io") {
					t.Error(path)
				}
			}
		})
	}
}

// TestRunInterrupted: a run that is cut off says what it has done.
func TestRunInterrupted(t *testing.T) {
	s, _ := forbidding(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var told *problem.Error
	if err := Run(ctx, s, Request{Timeout: time.Minute, DryRun: session.DryRunNone}); !errors.As(err, &told) || told.Kind != problem.Interrupted || told.Why != announce.NothingChanged {
		t.Errorf("%v", err)
	}
}

// TestDone: what was done is listed the same alone and beside the app, which says itself
// that it stays.
func TestDone(t *testing.T) {
	r, _ := reachRun(Request{})
	if c := (&Controller{r}); c.Done() != "" || r.doneSoFar() != announce.NothingChanged {
		t.Errorf("%q, %q", c.Done(), r.doneSoFar())
	}
	r.facts.Namespace.Value = "ack-system"
	r.done.Namespace, r.done.Approved = true, []string{"install-1"}
	r.done.Objects = map[apply.Action]int{apply.Create: 2}
	r.done.Inventory, r.done.Unsure = true, []string{"ConfigMap x", "the tags of role y"}
	const want = "namespace ack-system created; inventory (ConfigMap ostoy-s3-controller) written; objects: 2 created; InstallPlan install-1 approved; " +
		"it is not known whether this was changed, because no answer came: ConfigMap x, the tags of role y"
	if c := (&Controller{r}); c.Done() != want || r.doneSoFar() != "done so far, and staying: "+want {
		t.Errorf("%q, %q", c.Done(), r.doneSoFar())
	}
}
