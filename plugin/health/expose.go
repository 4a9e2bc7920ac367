package health

import (
	"net/netip"
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
		list, _, _ := unstructured.NestedSlice(ingress, "conditions")
		admitted, ok := find(readConditions(list), "Admitted")
		if ok && admitted.status == "True" {
			if h := Text(ingress, "host"); h != "" {
				host = h
			}
			return addressed("admitted", scheme(obj), host)
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
		if host != "" {
			break
		}
		if host = Text(lb, "hostname"); host == "" {
			host = Text(lb, "ip")
		}
	}
	return host
}
