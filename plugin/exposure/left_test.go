package exposure

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const (
	routePath   = "/apis/route.openshift.io/v1/namespaces/demo/routes/ostoy-route"
	ingressPath = "/apis/networking.k8s.io/v1/namespaces/demo/ingresses/ostoy-ingress"
	secrets     = "/api/v1/namespaces/demo/secrets/"
)

// played is a cluster with these kinds, and the connection to it.
func played(t *testing.T, kinds ...string) (*clustertest.Server, *cluster.Conn) {
	t.Helper()
	server := clustertest.New(t, "v1.33.0", kinds...)
	conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return server, conn
}

// TestLeft: what leads to the app although no value asks for it is found, or said not to
// be known; what the plan knows is not asked for.
func TestLeft(t *testing.T) {
	const route, ingress = "route.openshift.io/v1/Route", "networking.k8s.io/v1/Ingress"
	const served = "/apis/networking.k8s.io/v1/namespaces/demo/ingresses/ostoy-ingress"
	there := func(s *clustertest.Server, path, kind string) {
		s.Answer("GET "+path, exposingObject(kind, map[string]any{}).Object)
	}
	forbid := func(s *clustertest.Server) {
		s.Forbid("GET "+routePath, "get", "routes", "route.openshift.io", `in the namespace "demo"`)
	}
	planned := &apply.Item{Ref: apply.RefOf(exposingObject("Route", nil))}
	other := &apply.Item{Ref: apply.Ref{Kind: "Route", Name: "another"}}
	for name, c := range map[string]struct {
		kinds  []string
		play   func(*clustertest.Server)
		items  []*apply.Item
		kind   string // of what is found
		unread string
	}{
		"nothing":                         {[]string{route, ingress}, func(*clustertest.Server) {}, nil, "", ""},
		"not served":                      {nil, func(s *clustertest.Server) { there(s, routePath, "Route") }, nil, "", ""},
		"a Route":                         {[]string{route, ingress}, func(s *clustertest.Server) { there(s, routePath, "Route"); there(s, served, "Ingress") }, nil, "Route", ""},
		"an Ingress":                      {[]string{ingress}, func(s *clustertest.Server) { there(s, served, "Ingress") }, nil, "Ingress", ""},
		"a planned Route":                 {[]string{route, ingress}, func(s *clustertest.Server) { there(s, routePath, "Route") }, []*apply.Item{planned}, "", ""},
		"a Route, and another is planned": {[]string{route}, func(s *clustertest.Server) { there(s, routePath, "Route") }, []*apply.Item{other}, "Route", ""},
		"an unread Route":                 {[]string{route, ingress}, forbid, nil, "", "Route ostoy-route"},
		"an unread Route, and an Ingress": {[]string{route, ingress}, func(s *clustertest.Server) { forbid(s); there(s, served, "Ingress") }, nil, "Ingress", ""},
	} {
		server, conn := played(t, c.kinds...)
		c.play(server)
		by := Left(t.Context(), conn, "demo", &apply.Plan{Left: c.items})
		kind := ""
		if by.Object != nil {
			kind = by.Object.GetKind()
		}
		if kind != c.kind || by.Unread != c.unread || by.Managed {
			t.Errorf("%s: %q, %+v", name, kind, by)
		}
		if slices.Contains(c.items, planned) && server.Requests()["GET "+routePath] > 0 {
			t.Errorf("%s: asked for", name)
		}
	}
	server, conn := played(t, route)
	there(server, routePath, "Route")
	if _, err := conn.Discovery(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if by := Left(ended, conn, "demo", &apply.Plan{}); by.Object != nil || by.Unread != "Route ostoy-route" {
		t.Errorf("after its end: %+v", by)
	}
}

// TestURLFails: what may not be seen has no address; every other refusal, and the end of
// the context, is an error.
func TestURLFails(t *testing.T) {
	hosted := exposingObject("Ingress", map[string]any{"rules": []any{map[string]any{"host": "a.example.com"}}}).Object
	server, conn := played(t)
	server.Forbid("GET "+routePath, "get", "routes", "route.openshift.io", `in the namespace "demo"`)
	server.Answer("GET "+ingressPath, hosted)
	if got, err := URL(t.Context(), conn, "demo"); err != nil || got != "http://a.example.com" {
		t.Errorf("a Route that may not be seen: %q, %v", got, err)
	}
	server.Refuse("GET "+routePath, http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "who are you")
	var told *problem.Error
	if got, err := URL(t.Context(), conn, "demo"); !errors.As(err, &told) || told.Kind != problem.Failed || got != "" {
		t.Errorf("no login: %q, %v", got, err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if got, err := URL(ended, conn, "demo"); !errors.Is(err, context.Canceled) || got != "" {
		t.Errorf("after its end: %q, %v", got, err)
	}
}

// TestHostOf: an address without a legal host has none.
func TestHostOf(t *testing.T) {
	for address, want := range map[string]string{
		"https://a.example.com": "a.example.com", "a.example.com": "a.example.com",
		"": "", "https://": "", "https://a'b": "", "$(id)": "", "http://user@a.example.com": "",
	} {
		if got := HostOf(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

// TestAmong: a Route and an Ingress lead to the app, and nothing else does.
func TestAmong(t *testing.T) {
	service := &unstructured.Unstructured{Object: map[string]any{"kind": "Service"}}
	for _, kind := range []string{"Route", "Ingress"} {
		object := exposingObject(kind, nil)
		if got := Among([]*unstructured.Unstructured{service, object}); got != object || !IsKind(kind) {
			t.Errorf("%s: %v", kind, got)
		}
	}
	if got := Among([]*unstructured.Unstructured{service}); got != nil {
		t.Errorf("%v", got)
	}
	if got := SecretsNamed([]string{"a"}) + ", " + SecretsNamed([]string{"a", "b"}); got != "the Secret a, the Secrets a and b" {
		t.Error(got)
	}
}

// wanting is a Deployment that needs a key of the Secret a, twice, and the whole of b and c.
func wanting() []*unstructured.Unstructured {
	variable := map[string]any{"valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "a", "key": "k"}}}
	from := func(name string) any { return map[string]any{"secretRef": map[string]any{"name": name}} }
	return []*unstructured.Unstructured{{Object: map[string]any{"kind": "Deployment", "spec": map[string]any{"template": map[string]any{"spec": map[string]any{
		"containers": []any{map[string]any{"env": []any{variable, variable}, "envFrom": []any{from("b"), from("c")}}},
	}}}}}}
}

// TestSecretFlaws: of each Secret that others bring what is wrong with it, and nothing of
// those that cannot be read.
func TestSecretFlaws(t *testing.T) {
	secret := func(name string, data map[string]any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name}, "data": data}
	}
	if got := ExpectedSecrets(wanting())["a"]; !slices.Equal(got, []string{"k"}) {
		t.Errorf("a key that is wanted twice: %q", got)
	}
	server, conn := played(t)
	server.Forbid("GET "+secrets+"c", "get", "secrets", "", `in the namespace "demo"`)
	if got := strings.Join(SecretFlaws(t.Context(), conn, "demo", wanting()), "; "); got != "Secret a is not there; Secret b is not there" {
		t.Error(got)
	}
	server.Answer("GET "+secrets+"a", secret("a", map[string]any{"other": "x"}))
	server.Answer("GET "+secrets+"b", secret("b", nil))
	if got := strings.Join(SecretFlaws(t.Context(), conn, "demo", wanting()), "; "); got != "Secret a has no key k" {
		t.Error(got)
	}
	server.Answer("GET "+secrets+"a", secret("a", map[string]any{"k": "x"}))
	if got := SecretFlaws(t.Context(), conn, "demo", wanting()); len(got) != 0 {
		t.Errorf("%q", got)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if got := SecretFlaws(ended, conn, "demo", wanting()); len(got) != 0 {
		t.Errorf("after its end: %q", got)
	}
	own := append(wanting(), &unstructured.Unstructured{Object: map[string]any{"kind": "Secret", "metadata": map[string]any{"name": "b"}}})
	if _, expected := ExpectedSecrets(own)["b"]; expected {
		t.Error("a Secret of its own is expected of others")
	}
}
