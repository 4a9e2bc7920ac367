package cluster_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
)

func connect(t *testing.T, s *clustertest.Server, opts cluster.Options) *cluster.Conn {
	t.Helper()
	conn, err := cluster.Connect(s.Getter("demo"), opts)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestConnectSendsNothing(t *testing.T) {
	s := clustertest.New(t, "v1.33.4")
	conn := connect(t, s, cluster.Options{})
	name, explicit := conn.Namespace()
	if name != "demo" || explicit || conn.NamespaceSource() != "kubeconfig context here" || conn.Context() != "here" || conn.Host() != s.URL {
		t.Errorf("%q %t %q %q %q", name, explicit, conn.NamespaceSource(), conn.Context(), conn.Host())
	}
	if conn.Config().QPS >= 0 || conn.Config().Timeout != 0 {
		t.Errorf("%+v", conn.Config())
	}
	if got := s.Requests(); len(got) != 0 {
		t.Errorf("asked: %v", got)
	}
}

func TestNamespaceByFlag(t *testing.T) {
	s := clustertest.New(t, "v1.33.4")
	getter := s.Getter("demo")
	*getter.Namespace = "mine"
	conn, err := cluster.Connect(getter, cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if name, explicit := conn.Namespace(); name != "mine" || !explicit || conn.NamespaceSource() != "flag" {
		t.Errorf("%q %t %q", name, explicit, conn.NamespaceSource())
	}
	if conn, err = cluster.Connect(s.Getter(""), cluster.Options{}); err != nil {
		t.Fatal(err)
	}
	if name, explicit := conn.Namespace(); name != "default" || explicit || conn.NamespaceSource() != "default" {
		t.Errorf("%q %t %q", name, explicit, conn.NamespaceSource())
	}
}

// gather makes a server wait until n requests are there: were they made one
// after the other, the test would time out.
func gather(n int) func(*http.Request) {
	var group sync.WaitGroup
	group.Add(n)
	return func(*http.Request) { group.Done(); group.Wait() }
}

func TestDiscoveryIsAskedOnceAndAtOnce(t *testing.T) {
	s := clustertest.New(t, "v1.33.4", "v1/Pod", "v1/Namespace", "route.openshift.io/v1/Route")
	s.Hold = gather(3) // a fourth request would panic
	conn := connect(t, s, cluster.Options{})
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			served, err := conn.Discovery(t.Context())
			if err != nil || !served.Serves("route.openshift.io/v1", "Route") {
				t.Errorf("%+v, %v", served, err)
			}
		})
	}
	group.Wait()
	if version, err := conn.Version(t.Context()); version != "v1.33.4" || err != nil {
		t.Errorf("%q, %v", version, err)
	}
	if _, err := conn.Resource(t.Context(), schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, "demo"); err != nil {
		t.Error(err)
	}
	if got := s.Requests(); len(got) != 3 {
		t.Errorf("asked: %v", got)
	}
}

// TestResourceScope: a kind without namespaces is asked for without one, whatever
// namespace is given.
func TestResourceScope(t *testing.T) {
	s := clustertest.New(t, "v1.33.4", "v1/Pod", "rbac.authorization.k8s.io/v1/ClusterRole")
	conn := connect(t, s, cluster.Options{})
	role := schema.GroupVersionKind{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole"}
	for _, c := range []struct {
		gvk             schema.GroupVersionKind
		namespace, want string
	}{
		{role, "", "GET /apis/rbac.authorization.k8s.io/v1/clusterroles/x"},
		{role, "demo", "GET /apis/rbac.authorization.k8s.io/v1/clusterroles/x"},
		{schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, "demo", "GET /api/v1/namespaces/demo/pods/x"},
	} {
		client, err := conn.Resource(t.Context(), c.gvk, c.namespace)
		if err != nil {
			t.Fatal(err)
		}
		before := s.Requests()[c.want]
		_, err = client.Get(t.Context(), "x", metav1.GetOptions{})
		if !apierrors.IsNotFound(err) || s.Requests()[c.want] != before+1 {
			t.Errorf("%s in %q: %v, asked %v", c.gvk.Kind, c.namespace, err, s.Requests())
		}
	}
}

func TestServed(t *testing.T) {
	s := clustertest.New(t, "v1.33.4", "v1/Pod", "v1/Namespace", "route.openshift.io/v1/Route", "config.openshift.io/v1/Infrastructure")
	served, err := connect(t, s, cluster.Options{}).Discovery(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"config.openshift.io/v1", "config.openshift.io/v1/Infrastructure",
		"route.openshift.io/v1", "route.openshift.io/v1/Route", "v1", "v1/Namespace", "v1/Pod",
	}
	if !slices.Equal(served.APIVersions, want) || served.Version != "v1.33.4" {
		t.Errorf("%q %q", served.Version, served.APIVersions)
	}
	for _, c := range []struct {
		group string
		want  bool
	}{{"route.openshift.io", true}, {"route.openshift", false}, {"zzz", false}, {"", false}} {
		if served.ServesGroup(c.group) != c.want {
			t.Errorf("group %q: %t", c.group, !c.want)
		}
	}
	if !served.Serves("v1", "") || served.Serves("v2", "") || served.Serves("v1", "Route") {
		t.Error("Serves is wrong")
	}
	mapping, err := served.Mapping(schema.GroupVersionKind{Group: "route.openshift.io", Version: "v1", Kind: "Route"})
	if err != nil || mapping.Resource.Resource != "routes" {
		t.Errorf("%+v, %v", mapping, err)
	}
	_, err = served.Mapping(schema.GroupVersionKind{Group: "s3.services.k8s.aws", Version: "v1alpha1", Kind: "Bucket"})
	wantProblem(t, err, "does not serve Bucket of s3.services.k8s.aws/v1alpha1", "no such API")
}

func TestBrokenAPI(t *testing.T) {
	s := clustertest.New(t, "v1.33.4", "v1/Pod")
	s.Discovery("GET /apis", &apidiscovery.APIGroupDiscoveryList{Items: []apidiscovery.APIGroupDiscovery{{
		ObjectMeta: metav1.ObjectMeta{Name: "metrics.k8s.io"},
		Versions:   []apidiscovery.APIVersionDiscovery{{Version: "v1beta1", Freshness: apidiscovery.DiscoveryFreshnessStale}},
	}}})
	served, err := connect(t, s, cluster.Options{}).Discovery(t.Context())
	if err != nil || served.Broken["metrics.k8s.io/v1beta1"] == "" || served.Serves("metrics.k8s.io/v1beta1", "") {
		t.Fatalf("%+v, %v", served, err)
	}
	_, err = served.Mapping(schema.GroupVersionKind{Group: "metrics.k8s.io", Version: "v1beta1", Kind: "NodeMetrics"})
	wantProblem(t, err, "does not answer", "oc get apiservice v1beta1.metrics.k8s.io")
	if meta.IsNoMatchError(err) {
		t.Error("a kind whose server is away is taken for one the cluster does not have")
	}
	if err := served.Answers("route.openshift.io"); err != nil {
		t.Errorf("another group's: %v", err)
	}
	wantProblem(t, served.Answers("route.openshift.io", "metrics.k8s.io"), "metrics.k8s.io/v1beta1", "oc get apiservice v1beta1.metrics.k8s.io")
}

func TestDiscoveryOfOldServers(t *testing.T) {
	s := clustertest.New(t, "v1.27.0")
	s.Answer("GET /api", metav1.APIVersions{Versions: []string{"v1"}})
	version := metav1.GroupVersionForDiscovery{GroupVersion: "route.openshift.io/v1", Version: "v1"}
	broken := metav1.GroupVersionForDiscovery{GroupVersion: "metrics.k8s.io/v1beta1", Version: "v1beta1"}
	s.Answer("GET /apis", metav1.APIGroupList{Groups: []metav1.APIGroup{
		{Name: "route.openshift.io", Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version},
		{Name: "metrics.k8s.io", Versions: []metav1.GroupVersionForDiscovery{broken}, PreferredVersion: broken},
	}})
	s.Answer("GET /api/v1", metav1.APIResourceList{GroupVersion: "v1", APIResources: []metav1.APIResource{
		{Name: "pods", Kind: "Pod", Namespaced: true}, {Name: "pods/log", Kind: "Pod", Namespaced: true},
	}})
	s.Answer("GET /apis/route.openshift.io/v1", metav1.APIResourceList{
		GroupVersion: "route.openshift.io/v1", APIResources: []metav1.APIResource{{Name: "routes", Kind: "Route", Namespaced: true}},
	})
	s.Refuse("GET /apis/metrics.k8s.io/v1beta1", 503, metav1.StatusReasonServiceUnavailable, "no endpoints")
	served, err := connect(t, s, cluster.Options{}).Discovery(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"route.openshift.io/v1", "route.openshift.io/v1/Route", "v1", "v1/Pod"}
	if !slices.Equal(served.APIVersions, want) || served.Broken["metrics.k8s.io/v1beta1"] == "" {
		t.Errorf("%q, broken %v", served.APIVersions, served.Broken)
	}
	for path, n := range s.Requests() {
		if n != 1 {
			t.Errorf("%s: asked %d times", path, n)
		}
	}
}

func TestReadRemembersAnswersAndRefusals(t *testing.T) {
	infrastructures := schema.GroupVersionResource{Group: "config.openshift.io", Version: "v1", Resource: "infrastructures"}
	s := clustertest.New(t, "v1.33.4")
	s.Answer("GET /apis/config.openshift.io/v1/infrastructures/cluster", map[string]any{
		"apiVersion": "config.openshift.io/v1", "kind": "Infrastructure", "metadata": map[string]any{"name": "cluster"},
	})
	s.Forbid("GET /apis/config.openshift.io/v1/infrastructures/secret", "get", "infrastructures", "config.openshift.io", "at the cluster scope")
	conn := connect(t, s, cluster.Options{})
	for range 3 {
		if object, err := conn.Read(t.Context(), infrastructures, "", "cluster"); err != nil || object.GetKind() != "Infrastructure" {
			t.Errorf("%v, %v", object, err)
		}
		if object, err := conn.Read(t.Context(), infrastructures, "", "secret"); !apierrors.IsForbidden(err) || object != nil {
			t.Errorf("%v, %v", object, err)
		}
	}
	if got := s.Requests(); len(got) != 2 || got["GET /apis/config.openshift.io/v1/infrastructures/cluster"] != 1 {
		t.Errorf("asked: %v", got)
	}
	conn.Forget()
	if _, err := conn.Read(t.Context(), infrastructures, "", "cluster"); err != nil {
		t.Error(err)
	}
	if got := s.Requests()["GET /apis/config.openshift.io/v1/infrastructures/cluster"]; got != 2 {
		t.Errorf("after Forget it must be asked again: %d", got)
	}
}

func TestFailureIsNotRemembered(t *testing.T) {
	s := clustertest.New(t, "v1.33.4")
	s.Refuse("GET /version", 500, metav1.StatusReasonInternalError, "etcd has no leader")
	conn := connect(t, s, cluster.Options{})
	if _, err := conn.Version(t.Context()); err == nil {
		t.Error("no error")
	}
	s.Answer("GET /version", map[string]string{"gitVersion": "v1.33.5"})
	if version, err := conn.Version(t.Context()); version != "v1.33.5" || err != nil {
		t.Errorf("%q, %v", version, err)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	s := clustertest.New(t, "v1.33.4")
	arrived, release := make(chan struct{}), make(chan struct{})
	s.Hold = func(*http.Request) { close(arrived); <-release }
	conn := connect(t, s, cluster.Options{})
	first := make(chan error, 1)
	go func() { _, err := conn.Version(t.Context()); first <- err }()
	<-arrived
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := conn.Version(ctx); err != context.Canceled {
		t.Errorf("the second waits on: %v", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Errorf("the first suffers: %v", err)
	}
}

func TestHeadersAndWarnings(t *testing.T) {
	s := clustertest.New(t, "v1.33.4")
	s.Handle("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Warning", `299 - "this is old"`)
		w.Header().Add("Warning", `299 - "this is old"`)
		w.Header().Add("Warning", `299 - "and this"`)
		_, _ = w.Write([]byte(`{"issuer": "https://oidc.example.com"}`))
	})
	getter := s.Getter("demo")
	*getter.Impersonate = "bob"
	var mu sync.Mutex
	var warned []string
	conn, err := cluster.Connect(getter, cluster.Options{Version: "1.2.3", Warn: func(text string) {
		mu.Lock()
		defer mu.Unlock()
		warned = append(warned, text)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if issuer, err := conn.Issuer(t.Context()); issuer != "https://oidc.example.com" || err != nil {
		t.Errorf("%q, %v", issuer, err)
	}
	if !slices.Equal(warned, []string{"this is old", "and this"}) {
		t.Errorf("warned %q", warned)
	}
	h := s.Headers()[0]
	if h.Get("User-Agent") != "kubectl-ostoy_s3/1.2.3" || h.Get("Impersonate-User") != "bob" {
		t.Errorf("headers %v", h)
	}
}
