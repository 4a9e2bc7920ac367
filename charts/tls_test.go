package charts_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestF4RouteTLS: with route.tls=edge the router ends TLS with its own certificate and
// redirects http; without it the Route is the tutorial's, plain http.
func TestF4RouteTLS(t *testing.T) {
	edge := map[string]any{"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}
	for _, tc := range []struct {
		name string
		set  []string
		want any
	}{
		{"default", nil, nil},
		{"none", []string{"route.tls=none"}, nil},
		{"edge", []string{"route.tls=edge"}, edge},
		{"TLS of an Ingress", []string{"ingress.tls[0].secretName=x"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			route := render(t, input{set: append(tc.set, "expose=route")}).get(t, "Route ostoy-route")
			spec, _ := route.Object["spec"].(map[string]any)
			if diff := cmp.Diff(tc.want, spec["tls"]); diff != "" {
				t.Errorf("spec.tls (-want +got):\n%s", diff)
			}
		})
	}
	for _, expose := range []string{"none", "ingress"} { // for several clusters with the same values
		render(t, input{set: []string{"route.tls=edge", "expose=" + expose}})
	}
}

// TestF4IngressTLS: ingress.tls becomes spec.tls, and an entry without hosts is for the
// host of the Ingress.
func TestF4IngressTLS(t *testing.T) {
	const host, secret = "ostoy.example.com", "ostoy-tls"
	for _, tc := range []struct {
		name string
		set  []string
		want any
	}{
		{"default", []string{"ingress.host=" + host}, nil},
		{"none", []string{"ingress.tls=null"}, nil},
		{"edge of a Route", []string{"route.tls=edge"}, nil},
		{
			"Secret alone",
			[]string{"ingress.host=" + host, "ingress.tls[0].secretName=" + secret},
			[]any{map[string]any{"secretName": secret, "hosts": []any{host}}},
		},
		{
			"for any host",
			[]string{"ingress.tls[0].secretName=" + secret},
			[]any{map[string]any{"secretName": secret}},
		},
		{
			"the controller's certificate",
			[]string{"ingress.tls[0].hosts[0]=*.example.com"},
			[]any{map[string]any{"hosts": []any{"*.example.com"}}},
		},
		{
			"two",
			[]string{"ingress.host=" + host, "ingress.tls[0].secretName=" + secret, "ingress.tls[1].secretName=other", "ingress.tls[1].hosts[0]=other.example.com"},
			[]any{
				map[string]any{"secretName": secret, "hosts": []any{host}},
				map[string]any{"secretName": "other", "hosts": []any{"other.example.com"}},
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ingress := render(t, input{set: append(tc.set, "expose=ingress")}).get(t, "Ingress ostoy-ingress")
			spec, _ := ingress.Object["spec"].(map[string]any)
			if diff := cmp.Diff(tc.want, spec["tls"]); diff != "" {
				t.Errorf("spec.tls (-want +got):\n%s", diff)
			}
		})
	}
}
