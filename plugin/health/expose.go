package health

import (
	"net/netip"

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
	host := ruleHost(obj)
	for _, lb := range Maps(obj.Object, "status", "loadBalancer", "ingress") {
		if host != "" {
			break
		}
		if host = Text(lb, "hostname"); host == "" {
			host = Text(lb, "ip")
		}
	}
	if host == "" {
		return State{Text: "there, without an address yet", Ready: true}
	}
	return addressed("there", scheme(obj), host)
}
