package plugin

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster/clustertest"
)

// TestAppURL: the Route's, else the Ingress's, else none; what may not be seen is
// none.
func TestAppURL(t *testing.T) {
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
			if got, err := appURL(t.Context(), conn, "demo"); got != c.want || err != nil {
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
