package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestStartedBeforeItsBucket: OSToy looks for its bucket once. The message says
// how to have it look again, and that helps.
func TestStartedBeforeItsBucket(t *testing.T) {
	t.Parallel()
	a := app{bed: run.TheBed(t), namespace: "too-early"}
	a.fault(t, testbed.Fault{Action: "s3:HeadBucket", Resource: "bucket", Agent: "*app/ostoy *", Code: "AccessDenied", Status: http.StatusForbidden, Count: 1})
	a = installed(t, a.namespace, "--set", "waitForBucket.enabled=false")
	got, result := a.verify(t, refused)
	got.wantOnly(t, "app/menu-entry")
	result.WantTalk(t, `OSToy has no menu entry "ACK S3"`, "oc rollout restart deployment/ostoy-frontend -n too-early", "✔ isolation")
	a.wantEmpty(t)
	a.user.Kubectl(t, "rollout", "restart", "deployment/ostoy-frontend", "-n", a.namespace).WantCode(t, done)
	a.user.Kubectl(t, "rollout", "status", "deployment/ostoy-frontend", "-n", a.namespace).WantCode(t, done)
	a.verify(t, done)
}

// TestErrorPages: OSToy answers HTTP 200 to errors, so the pages are read.
func TestErrorPages(t *testing.T) {
	t.Parallel()
	a := installed(t, "pages")
	for _, c := range []struct {
		action, code, fails string
		count               int
	}{
		{"s3:PutObject", "NoSuchBucket", "app/upload", 1},
		{"s3:GetObject", "InternalWeather", "app/read", 1},
		{"s3:PutObject", "AccessDenied", "app/upload", 0}, // for longer than IAM takes; stays
	} {
		a.fault(t, testbed.Fault{Action: c.action, Resource: "bucket/*", Agent: "*app/ostoy *", Code: c.code, Status: http.StatusForbidden, Message: "said by S3", Count: c.count})
		got, result := a.verify(t, refused, soon)
		got.wantOnly(t, c.fails)
		result.WantTalk(t, "OSToy says: ", c.code, "said by S3", "oc logs -n pages deployment/ostoy-frontend")
		a.wantEmpty(t)
	}
}

// frontend is the address of the app itself, as kwok knows it.
func (a app) frontend(t *testing.T) string {
	t.Helper()
	var address string
	run.Eventually(t, "the app's port", func(ctx context.Context) error {
		resource := schema.GroupVersionResource{Group: "kwok.x-k8s.io", Version: "v1alpha1", Resource: "portforwards"}
		list, err := a.bed.Dynamic.Resource(resource).Namespace(a.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, item := range list.Items {
			forwards, _, _ := unstructured.NestedSlice(item.Object, "spec", "forwards")
			if len(forwards) == 1 {
				target := forwards[0].(map[string]any)["target"].(map[string]any)
				address = fmt.Sprintf("http://%s:%d", target["address"], target["port"])
				return nil
			}
		}
		return errors.New("is not there")
	})
	return address
}

// router plays the way to the Routes: a proxy that leads every address to one
// handler. It gives the environment that makes a program use it.
func router(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return "HTTP_PROXY=" + server.URL
}

// TestRoute: the Route is tried first, and what answers there has to be OSToy.
func TestRoute(t *testing.T) {
	t.Parallel()
	a := installed(t, "routed")
	plain := a.user
	to, err := url.Parse(a.frontend(t))
	orders(t, err)
	a.user = plain.With(router(t, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		if r.In.Host == "ostoy-route-routed.apps.lab.example.com" {
			r.SetURL(to)
		}
	}}))
	got, _ := a.verify(t, done)
	if got.Via != "route" || got.Detour != "" || got.URL != "http://ostoy-route-routed.apps.lab.example.com" {
		t.Errorf("%+v", got)
	}
	a.user.Run(t, "verify", "-n", a.namespace).WantCode(t, done).WantTalk(t, "✔ app        upload and read through its Route; S3 has it")
	for name, handler := range map[string]http.HandlerFunc{
		"router without pods": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>Application is not available</html>", http.StatusServiceUnavailable)
		},
		"somebody else's page": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>welcome</html>") },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/login", http.StatusFound)
		},
		"hung up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			b := a
			b.user = plain.With(router(t, handler))
			got, result := b.verify(t, done)
			if got.Via != "port-forward" || got.Detour == "" {
				t.Errorf("%+v", got)
			}
			result.WantTalk(t, "the Route does not answer from here: "+got.Detour+"; a port-forward was used")
		})
	}
}

// TestSilentRoute: packets to the Route are dropped. It is given up after some
// seconds, and the rest goes on.
func TestSilentRoute(t *testing.T) {
	t.Parallel()
	a := installed(t, "silent")
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	orders(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	a.user = a.user.With("HTTP_PROXY=http://" + listener.Addr().String())
	got, _ := a.verify(t, done)
	if got.Via != "port-forward" || got.Detour != "no answer in time" {
		t.Errorf("%+v", got)
	}
}

// TestNoRoute: a port-forward does.
func TestNoRoute(t *testing.T) {
	t.Parallel()
	a := installed(t, "routeless", "--set", "expose=none")
	got, result := a.verify(t, done)
	if got.Via != "port-forward" || got.Detour != "" || got.URL != "" {
		t.Errorf("%+v", got)
	}
	result.WantNoTalk(t, "Route does not answer")
}

// TestNoPod: the identity stands without a pod, the app does not.
func TestNoPod(t *testing.T) {
	t.Parallel()
	a := installed(t, "podless")
	a.user.Kubectl(t, "scale", "deployment/ostoy-frontend", "--replicas=0", "-n", a.namespace).WantCode(t, done)
	a.user.Kubectl(t, "wait", "--for=delete", "pod", "-l", "app=ostoy-frontend", "-n", a.namespace, "--timeout=2m").WantCode(t, done)
	got, result := a.verify(t, refused)
	got.wantOnly(t, "app/reached")
	result.WantTalk(t, "OSToy cannot be reached", "no pod of ostoy-frontend is ready", "oc get pods,routes -n podless")
}

// TestNothingThere: an empty project, and one that does not exist.
func TestNothingThere(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	admin := run.Admin(bed)
	world.NewNamespace(t, bed, "empty-project")
	admin.Run(t, "verify", "-n", "empty-project").WantCode(t, refused).WantTalk(t, "OSToy is not installed in project empty-project", "oc ostoy-s3 install -n empty-project")
	admin.Run(t, "verify", "-n", "emtpy-project").WantCode(t, misused).WantTalk(t, "project emtpy-project does not exist", "did you mean empty-project?")
}

// TestUnreachable: a server that does not answer has proven nothing, neither way.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	a := installed(t, "away")
	closed := run.Refusing(t)
	a.user.With("AWS_ENDPOINT_URL=http://"+closed).Run(t, "verify", "-n", a.namespace).WantCode(t, failed).WantTalk(t, "nothing listens at the endpoint", "not verified")
	a.user.Run(t, "verify", "-n", a.namespace, "--server=http://"+closed).WantCode(t, failed).WantTalk(t, "cannot reach the API server")
}
