package open

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const pods = "GET /api/v1/namespaces/demo/pods"

// withRoute plays a project whose app has a Route at a host.
func withRoute(t *testing.T, host string) *clustertest.Server {
	t.Helper()
	server := clustertest.New(t, "v1.33.0")
	server.Answer("GET /apis/route.openshift.io/v1/namespaces/demo/routes/ostoy-route", map[string]any{
		"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": map[string]any{"name": "ostoy-route", "namespace": "demo"},
		"status": map[string]any{"ingress": []any{map[string]any{"host": host, "conditions": []any{map[string]any{"type": "Admitted", "status": "True"}}}}},
	})
	return server
}

// withPod plays a project whose app has no Route, and a pod.
func withPod(t *testing.T, ready string) *clustertest.Server {
	t.Helper()
	server := clustertest.New(t, "v1.33.0")
	server.Answer(pods, map[string]any{"apiVersion": "v1", "kind": "PodList", "items": []any{map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "web-1"},
		"status": map[string]any{"phase": "Running", "conditions": []any{map[string]any{"type": "Ready", "status": ready}}},
	}}})
	server.Answer("GET /api/v1/namespaces/demo/serviceaccounts/"+render.ServiceAccount, map[string]any{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": render.ServiceAccount}})
	return server
}

// ran is what came of it.
type ran struct {
	err        error
	data, talk *bytes.Buffer
	browsed    string
}

func running(ctx context.Context, server *clustertest.Server, r Request, noBrowser error) (got ran) {
	streams, _, data, talk := genericiooptions.NewTestIOStreams()
	s := &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: server.Getter("demo"), Now: time.Now}
	r.Browse = func(_ context.Context, address string) error {
		got.browsed = address
		return noBrowser
	}
	if r.Timeout == 0 {
		r.Timeout = time.Hour
	}
	got.err = Run(ctx, s, r)
	got.data, got.talk = data, talk
	return got
}

// TestRun: the address is opened; it is printed if that is asked for, or if there is no
// browser.
func TestRun(t *testing.T) {
	const address = "http://a.example.com"
	for name, c := range map[string]struct {
		print           bool
		noBrowser       error
		browsed, prints string
		says            string
	}{
		"opened":     {false, nil, address, "", "opened " + address + "\n"},
		"printed":    {true, nil, "", address + "\n", ""},
		"no browser": {false, errors.New("no\x1b display"), address, address + "\n", "no browser could be started: no"},
	} {
		got := running(t.Context(), withRoute(t, "a.example.com"), Request{Print: c.print}, c.noBrowser)
		if got.err != nil || got.browsed != c.browsed || got.data.String() != c.prints || !strings.Contains(got.talk.String(), c.says) || c.says == "" && got.talk.Len() > 0 {
			t.Errorf("%s: %v, %q\n%s%s", name, got.err, got.browsed, got.data, got.talk)
		}
		if strings.Contains(got.talk.String(), "\x1b") {
			t.Errorf("%s: %q", name, got.talk)
		}
	}
}

// TestRunHasNoWay: why there is no way to the app, and nothing is opened or printed.
func TestRunHasNoWay(t *testing.T) {
	forbidden, refusing := withPod(t, "True"), withPod(t, "True")
	forbidden.Forbid(pods, "list", "pods", "", `in the namespace "demo"`)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		refusing.Handle(method+" /api/v1/namespaces/demo/pods/web-1/portforward", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "you may not", http.StatusForbidden)
		})
	}
	project := map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "demo"}}
	none, absent := clustertest.New(t, "v1.33.0"), clustertest.New(t, "v1.33.0")
	for _, server := range []*clustertest.Server{forbidden, none} {
		server.Answer("GET /api/v1/namespaces/demo", project)
	}
	absent.Answer(pods, map[string]any{"apiVersion": "v1", "kind": "PodList", "items": []any{}})
	none.Answer(pods, map[string]any{"apiVersion": "v1", "kind": "PodList", "items": []any{}})
	none.Answer("GET /apis/apps/v1/namespaces/demo/deployments", map[string]any{"apiVersion": "apps/v1", "kind": "DeploymentList", "items": []any{map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": render.Frontend, "namespace": "demo"},
	}}})
	for name, c := range map[string]struct {
		server *clustertest.Server
		kind   problem.Kind
		says   []string
	}{
		"no project":          {absent, problem.Usage, []string{"project demo does not exist", "oc ostoy-s3 install --new-project=demo"}},
		"a host that is none": {withRoute(t, "$(id)"), problem.Failed, []string{"Route ostoy-route in project demo has no valid address"}},
		"no pod":              {none, problem.Failed, []string{"there is no way to OSToy in project demo", "no pod of ostoy-frontend", "oc ostoy-s3 check -n demo"}},
		"not ready":           {withPod(t, "False"), problem.Failed, []string{"its pod web-1 is not ready", "oc describe pod web-1 -n demo"}},
		"forbidden":           {forbidden, problem.Failed, []string{"pods"}},
		"no port-forward":     {refusing, problem.Failed, []string{"cannot open a port-forward to pod web-1", "you may not", "oc auth can-i create pods/portforward -n demo"}},
	} {
		got := running(t.Context(), c.server, Request{}, nil)
		var told *problem.Error
		if !errors.As(got.err, &told) || told.Kind != c.kind || got.browsed != "" || got.data.Len() > 0 {
			t.Errorf("%s: %v, %q\n%s", name, got.err, got.browsed, got.data)
			continue
		}
		for _, want := range c.says {
			if !strings.Contains(told.What+told.Why+told.Next, want) {
				t.Errorf("%s: no %q in %+v", name, want, told)
			}
		}
	}
	if got := running(t.Context(), withRoute(t, "$(id)"), Request{}, nil); !errors.Is(got.err, exposure.ErrHost) {
		t.Error(got.err)
	}
}

// TestRunNotInstalled: the refusal is the one of every command, with what is kept.
func TestRunNotInstalled(t *testing.T) {
	server := clustertest.New(t, "v1.33.0")
	server.Answer(pods, map[string]any{"apiVersion": "v1", "kind": "PodList", "items": []any{}})
	server.Answer("GET /api/v1/namespaces/demo", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "demo"}})
	server.Answer("GET /api/v1/namespaces/demo/persistentvolumeclaims", map[string]any{"apiVersion": "v1", "kind": "PersistentVolumeClaimList", "items": []any{
		map[string]any{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"name": "ostoy-pvc", "namespace": "demo"}},
	}})
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	got := running(t.Context(), server, Request{}, nil)
	var told *problem.Error
	if !errors.As(got.err, &told) || told.Kind != problem.Refused || told.What != "OSToy is not installed in project demo; kept: volume ostoy-pvc" {
		t.Errorf("%v", got.err)
	}
}

func TestRunRefuses(t *testing.T) {
	for name, facts := range map[string]session.Facts{
		"a name":       {Given: render.Facts{Namespace: render.Fact{Value: "No_Name"}}},
		"no such file": {File: filepath.Join(t.TempDir(), "none")},
	} {
		server := clustertest.New(t, "v1.33.0")
		if got := running(t.Context(), server, Request{Facts: facts}, nil); !problem.IsInput(got.err) || len(server.Requests()) > 0 {
			t.Errorf("%s: %v", name, got.err)
		}
	}
}

// TestRunInterrupted: before anything is asked, and while a port-forward is opened.
func TestRunInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := running(ctx, withRoute(t, "a.example.com"), Request{}, nil); !errors.Is(got.err, context.Canceled) || got.browsed != "" {
		t.Errorf("%v, %q", got.err, got.browsed)
	}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	server, held := withPod(t, "True"), make(chan struct{})
	t.Cleanup(func() { close(held) })
	server.Hold = func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/portforward") {
			cancel()
			<-held
		}
	}
	if got := running(ctx, server, Request{}, nil); got.err != context.Canceled || got.browsed != "" {
		t.Errorf("%v, %q", got.err, got.browsed)
	}
}
