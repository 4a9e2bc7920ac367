package health

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
)

// URL is the address that a Route or an Ingress gives the app; empty where it has
// none (yet).
func URL(obj *unstructured.Unstructured) string {
	if obj.GetKind() == "Ingress" {
		return Ingress(obj).URL
	}
	return Route(obj).URL
}

// AtNoHost reports whether a Route is admitted, or an Ingress exists, at a host that is
// not the name of one: it is not repeated, so that URL is empty. An Ingress for all names
// of a domain has no URL, either, and is not such an object.
func AtNoHost(obj *unstructured.Unstructured) bool {
	if obj.GetKind() == "Ingress" {
		host := ingressHost(obj)
		domain, all := strings.CutPrefix(host, "*.")
		return host != "" && Ingress(obj).URL == "" && !(all && advice.Host(domain).Legal())
	}
	state := Route(obj)
	return state.Ready && state.URL == ""
}

// Route judges an OpenShift Route: it works once a router admits it.
func Route(obj *unstructured.Unstructured) State { return judgeRoute(obj).plainly() }

func judgeRoute(obj *unstructured.Unstructured) State {
	host := Text(obj.Object, "spec", "host")
	var refused *Condition
	for _, ingress := range Maps(obj.Object, "status", "ingress") {
		admitted, ok := find(readConditions(ingress, "conditions"), "Admitted")
		if ok && admitted.status == "True" {
			return addressed("admitted", scheme(obj), cmp.Or(Text(ingress, "host"), host))
		}
		if ok && admitted.status == "False" {
			refused = &admitted
		}
	}
	if refused == nil {
		return State{Text: "waiting for a router"}
	}
	s := State{
		Text: "not admitted: " + refused.reason + ": " + refused.message,
		Hint: advice.Command("oc describe route", obj.GetName(), "-n", obj.GetNamespace()),
	}
	if refused.reason == "HostAlreadyClaimed" {
		s.Hint = "another Route has the host " + advice.Host(host).String() + ", which follows from the name of the project: choose another project"
		return Failing(s)
	}
	return Graced(s, deniedGrace)
}

// addressed is the State of an object that works at an address. A host that is not the
// name of one leads nowhere, and is not repeated.
func addressed(text, scheme, host string) State {
	address := advice.Host(host)
	ip, err := netip.ParseAddr(host)
	switch {
	case address.Legal():
		return State{Text: text, Ready: true, URL: scheme + host}
	case err == nil && ip.Is6() && ip.Zone() == "":
		return State{Text: text, Ready: true, URL: scheme + "[" + ip.String() + "]"}
	}
	return State{Text: text + ", at " + address.String(), Ready: true}
}

func scheme(object *unstructured.Unstructured) string {
	if Encrypted(object) {
		return "https://"
	}
	return "http://"
}

// Ingress judges an Ingress. It is ready when it is there: many
// controllers never write a status, so none can be waited for.
func Ingress(obj *unstructured.Unstructured) State {
	host := ingressHost(obj)
	if host == "" {
		return State{Text: "there, without an address yet", Ready: true}
	}
	return addressed("there", scheme(obj), host)
}

// ingressHost is the host of an Ingress: of its rules, or of its load balancer.
func ingressHost(obj *unstructured.Unstructured) string {
	host := ruleHost(obj)
	for _, lb := range Maps(obj.Object, "status", "loadBalancer", "ingress") {
		host = cmp.Or(host, Text(lb, "hostname"), Text(lb, "ip"))
	}
	return host
}

// Encrypted reports whether the address of a Route or an Ingress is an https one.
func Encrypted(object *unstructured.Unstructured) bool {
	if object.GetKind() != "Ingress" {
		return Text(object.Object, "spec", "tls", "termination") != ""
	}
	host := ruleHost(object)
	return slices.ContainsFunc(Maps(object.Object, "spec", "tls"), func(entry map[string]any) bool {
		hosts, _ := entry["hosts"].([]any)
		return len(hosts) == 0 || slices.ContainsFunc(hosts, func(one any) bool { return covers(one, host) })
	})
}

// covers reports whether a host of spec.tls is the host of a rule: the same, or with a
// wildcard for its first label.
func covers(pattern any, host string) bool {
	text, _ := pattern.(string)
	if text == host {
		return true
	}
	rest, wild := strings.CutPrefix(text, "*.")
	_, parent, _ := strings.Cut(host, ".")
	return wild && parent != "" && parent == rest
}

// ruleHost is the first host that the rules of an Ingress name.
func ruleHost(ingress *unstructured.Unstructured) string {
	var host string
	for _, rule := range Maps(ingress.Object, "spec", "rules") {
		host = cmp.Or(host, Text(rule, "host"))
	}
	return host
}
