package health

import "testing"

// TestF4Encrypted: an address is an https one where TLS is asked for at its host.
func TestF4Encrypted(t *testing.T) {
	const route = "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: r, namespace: demo}\n"
	const ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, namespace: demo}\n"
	const rules = "spec: {rules: [{host: a.example.com}], tls: "
	for object, want := range map[string]bool{
		route + "spec: {host: a.example.com}":                                                                   false,
		route + "spec: {tls: {termination: edge, insecureEdgeTerminationPolicy: Redirect}}":                     true,
		route + "spec: {tls: {termination: passthrough}}":                                                       true,
		ingress + "spec: {rules: [{host: a.example.com}]}":                                                      false,
		ingress + rules + "[{secretName: s}]}":                                                                  true,
		ingress + rules + "[{hosts: [b.example.com]}, {hosts: [a.example.com], secretName: s}]}":                true,
		ingress + rules + "[{hosts: [b.example.com], secretName: s}]}":                                          false,
		ingress + rules + "[{hosts: ['*.example.com'], secretName: s}]}":                                        true,
		ingress + "spec: {rules: [{host: a.b.example.com}], tls: [{hosts: ['*.example.com']}]}":                 false,
		ingress + "spec: {tls: [{hosts: [a.example.com]}]}\nstatus: {loadBalancer: {ingress: [{ip: 1.1.1.1}]}}": false,
	} {
		parsed := parse(t, object)
		if got := Encrypted(parsed); got != want {
			t.Errorf("%s\nencrypted: %t", object, got)
		}
	}
	if got := URL(parse(t, ingress+rules+"[{hosts: [a.example.com], secretName: s}]}")); got != "https://a.example.com" {
		t.Error(got)
	}
}
