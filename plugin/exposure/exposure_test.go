package exposure

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// exposingObject is a Route or an Ingress as the chart names it.
func exposingObject(kind string, spec map[string]any) *unstructured.Unstructured {
	api, name := "route.openshift.io/v1", "ostoy-route"
	if kind == "Ingress" {
		api, name = "networking.k8s.io/v1", "ostoy-ingress"
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": api, "kind": kind, "metadata": map[string]any{"name": name}, "spec": spec,
	}}
}

func readsSecrets() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"kind": "Deployment", "spec": map[string]any{"template": map[string]any{
		"spec": map[string]any{"volumes": []any{map[string]any{"secret": map[string]any{"secretName": "ostoy-secret"}}}},
	}}}}
}

// TestF4ExposureWords: one line says exactly who reaches what, for each way to the app.
func TestF4ExposureWords(t *testing.T) {
	edge := map[string]any{"termination": "edge"}
	rules := []any{map[string]any{"host": "a.example.com"}}
	const every = "lists, reads, writes and overwrites every object of demo-bucket"
	const inside = "; expose=none keeps it inside the cluster"
	const only = " (https encrypts the connection and asks for no password)"
	for name, c := range map[string]struct {
		exposed *unstructured.Unstructured
		secrets bool
		want    string
	}{
		"new Route":        {exposingObject("Route", map[string]any{}), false, "everybody who can reach the Route ostoy-route (http) " + every + ", without a password" + inside},
		"Route":            {exposingObject("Route", map[string]any{"host": "r.example.com"}), false, "everybody who can reach http://r.example.com " + every + ", without a password" + inside},
		"edge Route":       {exposingObject("Route", map[string]any{"host": "r.example.com", "tls": edge}), false, "everybody who can reach https://r.example.com " + every + ", without a password" + only + inside},
		"new edge Route":   {exposingObject("Route", map[string]any{"tls": edge}), false, "everybody who can reach the Route ostoy-route (https) " + every + ", without a password" + only + inside},
		"Route, Secrets":   {exposingObject("Route", map[string]any{}), true, "everybody who can reach the Route ostoy-route (http) " + every + ", and reads the Secret ostoy-secret, without a password" + inside},
		"Ingress":          {exposingObject("Ingress", map[string]any{"rules": rules}), false, "everybody who can reach http://a.example.com " + every + ", without a password" + inside},
		"Ingress, no host": {exposingObject("Ingress", map[string]any{}), false, "everybody who can reach the Ingress ostoy-ingress (http) " + every + ", without a password" + inside},
		"edge Ingress":     {exposingObject("Ingress", map[string]any{"rules": rules, "tls": []any{map[string]any{"secretName": "s"}}}), false, "everybody who can reach https://a.example.com " + every + ", without a password" + only + inside},
		"none":             {nil, false, "the installation has no Route or Ingress: pods of the cluster, and users who are allowed to port-forward in project demo, list, read, write and overwrite every object of demo-bucket, without a password"},
		"none, Secrets":    {nil, true, "the installation has no Route or Ingress: pods of the cluster, and users who are allowed to port-forward in project demo, list, read, write and overwrite every object of demo-bucket, and read the Secret ostoy-secret, without a password"},
		"host of mallory":  {exposingObject("Route", map[string]any{"host": "x'; id #\x1b[8m"}), false, "everybody who can reach the Route ostoy-route (http) " + every + ", without a password" + inside},
	} {
		var objects []*unstructured.Unstructured
		if c.secrets {
			objects = append(objects, readsSecrets())
		}
		e := Of("demo", objects, By{Object: c.exposed, Managed: true})
		if got := e.Words(); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
		if e.Public() != (c.exposed != nil) {
			t.Errorf("%s: public is %t", name, e.Public())
		}
	}
}

// TestF4ExposureOfOthers: a Route that the values do not ask for, and one that cannot be
// read, are not reported as no Route.
func TestF4ExposureOfOthers(t *testing.T) {
	for want, by := range map[string]By{
		"everybody who can reach http://r.example.com lists, reads, writes and overwrites every object of demo-bucket, without a password; " +
			"the installation does not manage the Route ostoy-route: without it the app stays inside the cluster": {
			Object: exposingObject("Route", map[string]any{"host": "r.example.com"}),
		},
		"not known: the Route ostoy-route cannot be read": {Unread: "Route ostoy-route"},
	} {
		if got := Of("demo", nil, by).Words(); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}
