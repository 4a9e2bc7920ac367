package health

import "testing"

// TestF2AtNoHost: an object at a host that is not the name of one is not the same as one
// without an address.
func TestF2AtNoHost(t *testing.T) {
	route := func(status string) string {
		return "{apiVersion: route.openshift.io/v1, kind: Route, metadata: {name: r, namespace: demo}, spec: {host: s.example.com}, status: " + status + "}"
	}
	ingress := func(spec, status string) string {
		return "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: demo}, spec: " + spec + ", status: " + status + "}"
	}
	const admitted, refused = "conditions: [{type: Admitted, status: 'True'}]", "conditions: [{type: Admitted, status: 'False', reason: x}]"
	for text, want := range map[string]bool{
		route("{ingress: [{host: a.example.com, " + admitted + "}]}"): false,
		route("{ingress: [{" + admitted + "}]}"):                      false,
		route("{ingress: [{host: '$(id)', " + refused + "}]}"):        false,
		route("{}"): false,
		route("{ingress: [{host: '$(id)', " + admitted + "}]}"): true,
		ingress("{rules: [{host: a.example.com}]}", "{}"):       false,
		ingress("{}", "{}"): false,
		ingress("{rules: [{host: '*.example.com'}]}", "{}"):                 false,
		ingress("{rules: [{host: '*.$(id)'}]}", "{}"):                       true,
		ingress("{rules: [{host: '$(id)'}]}", "{}"):                         true,
		ingress("{}", "{loadBalancer: {ingress: [{hostname: 'a b'}]}}"):     true,
		ingress("{}", "{loadBalancer: {ingress: [{ip: '2001:db8::1'}]}}"):   false,
		ingress("{}", "{loadBalancer: {ingress: [{ip: 'fe80::1%x; id'}]}}"): true,
	} {
		if got := AtNoHost(parse(t, text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}
