package exposure

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestURL: the Route's, else the Ingress's, else none; what may not be seen is
// none.
func TestURL(t *testing.T) {
	const (
		route   = "/apis/route.openshift.io/v1/namespaces/demo/routes/ostoy-route"
		ingress = "/apis/networking.k8s.io/v1/namespaces/demo/ingresses/ostoy-ingress"
	)
	admitted := map[string]any{
		"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": map[string]any{"name": "ostoy-route"},
		"spec":   map[string]any{"host": "asked.example.com"},
		"status": map[string]any{"ingress": []any{map[string]any{"host": "given.example.com", "conditions": []any{map[string]any{"type": "Admitted", "status": "True"}}}}},
	}
	waiting := map[string]any{
		"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": map[string]any{"name": "ostoy-route"},
		"spec": map[string]any{"host": "asked.example.com"},
	}
	hosted := map[string]any{
		"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": map[string]any{"name": "ostoy-ingress"},
		"spec": map[string]any{"rules": []any{map[string]any{"host": "ingress.example.com"}}},
	}
	everyName := map[string]any{
		"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": map[string]any{"name": "ostoy-ingress"},
		"spec": map[string]any{"rules": []any{map[string]any{"host": "*.example.com"}}},
	}
	for name, c := range map[string]struct {
		route, ingress any
		want           string
		requests       int
	}{
		"route":              {admitted, hosted, "http://given.example.com", 1},
		"route not admitted": {waiting, nil, "", 2},
		"ingress":            {nil, hosted, "http://ingress.example.com", 2},
		"every name":         {nil, everyName, "", 2},
		"neither":            {nil, nil, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			server := clustertest.New(t, "v1.33.0")
			if c.route != nil {
				server.Answer("GET "+route, c.route)
			}
			if c.ingress != nil {
				server.Answer("GET "+ingress, c.ingress)
			}
			conn, err := cluster.Connect(clustertest.Getter(t, server.URL, "demo"), cluster.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := URL(t.Context(), conn, "demo"); got != c.want || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			asked := 0
			for _, n := range server.Requests() {
				asked += n
			}
			if asked != c.requests {
				t.Errorf("%d requests, want %d", asked, c.requests)
			}
		})
	}
}

// TestF2OpenRefusesAHost: an address made of a host that is none is not opened or printed,
// and not passed over as if there were no Route.
func TestF2OpenRefusesAHost(t *testing.T) {
	for _, host := range []string{"$(touch /tmp/pwned)", "a'b.example.com", "a.example.com/x y", "a.example.com\x1b[8m", "user@a.example.com", "a.example.com\nb", "-x"} {
		server := clustertest.New(t, "v1.33.0")
		server.Answer("GET /apis/route.openshift.io/v1/namespaces/demo/routes/ostoy-route", map[string]any{
			"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": map[string]any{"name": "ostoy-route", "namespace": "demo"},
			"status": map[string]any{"ingress": []any{map[string]any{"host": host, "conditions": []any{map[string]any{"type": "Admitted", "status": "True"}}}}},
		})
		conn, err := cluster.Connect(clustertest.Getter(t, server.URL, "demo"), cluster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		address, err := URL(t.Context(), conn, "demo")
		if address != "" || !errors.Is(err, ErrHost) || strings.Contains(err.Error(), host) {
			t.Errorf("%q: %q, %v", host, address, err)
		}
	}
	route := &unstructured.Unstructured{Object: map[string]any{"kind": "Route", "metadata": map[string]any{"name": "ostoy-route", "namespace": "demo"}}}
	var told *problem.Error
	if err := noAddress(route); !errors.As(err, &told) || told.Next != "oc get route ostoy-route -n demo -o yaml" {
		t.Errorf("%+v", told)
	}
}
