package check

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

// TestF4RouteTLSAsAsked: with route.tls=edge the Route must encrypt and redirect, without
// it it must take plain http; each other Route is reported, whoever changed it.
func TestF4RouteTLSAsAsked(t *testing.T) {
	const (
		none        = "{}"
		edge        = "{termination: edge}"
		redirect    = "{termination: edge, insecureEdgeTerminationPolicy: Redirect}"
		allow       = "{termination: edge, insecureEdgeTerminationPolicy: Allow}"
		passthrough = "{termination: passthrough, insecureEdgeTerminationPolicy: Redirect}"
		reencrypt   = "{termination: reencrypt, insecureEdgeTerminationPolicy: Allow}"
		odd         = `{termination: "edge\u001b[8m; run this", insecureEdgeTerminationPolicy: Redirect}`
	)
	for _, c := range []struct {
		tls   string
		asked askedTLS
		want  Status
		says  string
	}{
		{none, tlsNone, Passed, ""},
		{none, tlsUnknown, Passed, ""},
		{none, tlsAsked, Warned, "has no TLS"},
		{none, tlsAsked, Warned, "oc ostoy-s3 install -n demo --set route.tls=edge"},
		{redirect, tlsNone, Warned, "redirected to https"},
		{redirect, tlsNone, Warned, "--set route.tls=edge"},
		{redirect, tlsNone, Warned, `oc patch route ostoy-route -n demo --type=json -p '[{"op":"remove","path":"/spec/tls"}]'`},
		{redirect, tlsUnknown, Passed, ""},
		{redirect, tlsAsked, Passed, ""},
		{edge, tlsNone, Warned, "http is not answered"},
		{edge, tlsNone, Warned, "the values ask for plain http"},
		{edge, tlsUnknown, Warned, "http is not answered"},
		{edge, tlsUnknown, Warned, "what the values ask for is not known"},
		{edge, tlsAsked, Warned, "http is not answered"},
		{edge, tlsAsked, Warned, "route.tls=edge asks for https"},
		{allow, tlsNone, Passed, ""},
		{allow, tlsUnknown, Passed, ""},
		{allow, tlsAsked, Warned, "without encryption"},
		{passthrough, tlsNone, Warned, "/spec/tls"},
		{passthrough, tlsAsked, Warned, "route.tls=edge"},
		{reencrypt, tlsNone, Warned, "nothing works"},
		{odd, tlsNone, Warned, "of an unknown kind"},
	} {
		route := fromYAML(t, "{kind: Route, metadata: {name: ostoy-route, namespace: demo}, spec: {host: h, tls: "+c.tls+"}}")
		wantSaid(t, c.tls, judgeRouteTLS(&live.World{Namespace: route.GetNamespace()}, route, c.asked), c.want, c.says)
	}
}

// TestF4IngressTLSAsAsked is the same for an Ingress.
func TestF4IngressTLSAsAsked(t *testing.T) {
	const tls = ", tls: [{hosts: [a.example.com], secretName: s}]"
	for _, c := range []struct {
		tls   string
		asked askedTLS
		want  Status
		says  string
	}{
		{"", tlsNone, Passed, ""},
		{"", tlsAsked, Warned, "has no TLS"},
		{tls, tlsAsked, Passed, ""},
		{tls, tlsNone, Warned, "oc patch ingress ostoy-ingress -n demo"},
		{", tls: [{hosts: [b.example.com]}]", tlsAsked, Warned, "has no TLS"},
	} {
		ingress := fromYAML(t, "{kind: Ingress, metadata: {name: ostoy-ingress, namespace: demo}, spec: {rules: [{host: a.example.com}]"+c.tls+"}}")
		wantSaid(t, c.tls, judgeIngressTLS(&live.World{Namespace: ingress.GetNamespace()}, ingress, c.asked), c.want, c.says)
	}
}
