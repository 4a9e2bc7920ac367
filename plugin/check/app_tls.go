package check

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
)

// askedTLS is what the values say about TLS of the Route or the Ingress.
type askedTLS int

const (
	tlsUnknown askedTLS = iota // nothing could be rendered
	tlsNone
	tlsAsked
)

// tlsLook compares the TLS of the way to the app with what the values ask for.
type tlsLook struct {
	*live.World
	objects []*unstructured.Unstructured // as rendered; nil where nothing could be
}

func (l tlsLook) judge(ctx context.Context) Finding {
	const what = "whether the way to the app has the TLS that the values ask for"
	if ingress := l.rendered("Ingress"); ingress != nil {
		found, err := l.One(ctx, live.Ingresses(), ingress.GetName())
		switch {
		case err != nil:
			return unreadable(l.Conn, err, "list ingresses.networking.k8s.io in "+l.Namespace, what)
		case found == nil:
			return Leave("there is no Ingress " + ingress.GetName())
		}
		return judgeIngressTLS(found, askedOf(ingress))
	}
	asked := tlsNone
	if route := l.rendered("Route"); route != nil {
		asked = askedOf(route)
	} else if l.objects == nil {
		asked = tlsUnknown
	}
	found, err := appLook{l.World}.route(ctx)
	switch {
	case err != nil:
		return unreadable(l.Conn, err, "list routes.route.openshift.io in "+l.Namespace, what)
	case found == nil:
		return Leave("there is no Route " + routeName)
	}
	return judgeRouteTLS(found, asked)
}

// rendered is the object of a kind that the values give, nil if they give none.
func (l tlsLook) rendered(kind string) *unstructured.Unstructured {
	for _, object := range l.objects {
		if object.GetKind() == kind {
			return object
		}
	}
	return nil
}

func askedOf(rendered *unstructured.Unstructured) askedTLS {
	if health.Encrypted(rendered) {
		return tlsAsked
	}
	return tlsNone
}

// judgeRouteTLS: the tutorial, and everybody who follows it, uses http. A Route with TLS
// redirects it or does not answer it (OpenShift's documentation, "Secured routes").
func judgeRouteTLS(route *unstructured.Unstructured, asked askedTLS) Finding {
	termination := health.Text(route.Object, "spec", "tls", "termination")
	policy := health.Text(route.Object, "spec", "tls", "insecureEdgeTerminationPolicy")
	namespace, name := route.GetNamespace(), route.GetName()
	withTLS := advice.Command("oc ostoy-s3 install -n", namespace, "--set", "route.tls=edge")
	without := advice.Command("oc patch route", name, "-n", namespace, "--type=json", "-p", `[{"op":"remove","path":"/spec/tls"}]`)
	const wantsRedirect = "route.tls=edge asks for https, and for a redirect from http"
	switch {
	case termination == "" && asked == tlsAsked:
		return Warn("Route "+name+" has no TLS: what is sent through it can be read on the way", wantsRedirect, withTLS)
	case termination == "":
		return Pass()
	case termination != "edge":
		if termination != "passthrough" && termination != "reencrypt" {
			termination = "of an unknown kind"
		}
		next := without
		if asked == tlsAsked {
			next = withTLS
		}
		return Warn("Route "+name+" has TLS ("+termination+"): it sends TLS to the pod", "OSToy itself speaks plain http, so nothing works", next)
	case policy == "Redirect" && asked != tlsNone, policy == "Allow" && asked != tlsAsked:
		return Pass()
	}
	what := "Route " + name + " has TLS (" + termination + "): " + plainHTTP(policy)
	why := "the values ask for plain http, as in the tutorial"
	switch asked {
	case tlsAsked:
		return Warn(what, wantsRedirect, withTLS)
	case tlsUnknown:
		why = "the tutorial's addresses begin with http; what the values ask for is not known"
	}
	return Warn(what, why,
		"use https://"+advice.Host(health.Text(route.Object, "spec", "host")).Word()+
			"\nif that is intended: "+withTLS+"\n(and the same --set for check, status and diff)\nto remove TLS: "+without)
}

// plainHTTP says what a router does with http where the Route has TLS.
func plainHTTP(policy string) string {
	switch policy {
	case "Redirect":
		return "http is redirected to https"
	case "Allow":
		return "http is answered as well, without encryption"
	}
	return "http is not answered"
}

// judgeIngressTLS reads spec.tls: what an ingress controller does besides, by its own
// annotations, is not known here.
func judgeIngressTLS(ingress *unstructured.Unstructured, asked askedTLS) Finding {
	namespace, name := ingress.GetNamespace(), ingress.GetName()
	switch encrypted := health.Encrypted(ingress); {
	case encrypted && asked == tlsNone:
		return Warn("Ingress "+name+" has TLS", "the values ask for plain http (ingress.tls is empty)",
			"if that is intended, give install, check, status and diff the same ingress.tls\nto remove TLS: "+
				advice.Command("oc patch ingress", name, "-n", namespace, "--type=json", "-p", `[{"op":"remove","path":"/spec/tls"}]`))
	case !encrypted && asked == tlsAsked:
		return Warn("Ingress "+name+" has no TLS for its host: what is sent through it can be read on the way", "ingress.tls asks for https",
			advice.Command("oc ostoy-s3 install -n", namespace, "-f", "VALUES_FILE"))
	}
	return Pass()
}
