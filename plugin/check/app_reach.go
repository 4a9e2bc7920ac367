package check

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

// endpoints looks whether the Services choose pods that are ready, by the rule
// the cluster itself goes by: every label of the selector.
func (a appLook) endpoints(ctx context.Context) Finding {
	services, err := a.Here(ctx, kinds.Service.GVR())
	if err != nil {
		return unreadable(a.Conn, err, "list services in "+a.Namespace, "whether the Services lead to pods")
	}
	pods, err := a.Here(ctx, kinds.Pod.GVR())
	if err != nil {
		return unreadable(a.Conn, err, "list pods in "+a.Namespace, "whether the Services lead to pods")
	}
	var all []Finding
	for _, workload := range []string{frontendName, microserviceName} {
		name := workload + "-svc"
		service := named(services, name)
		if service == nil {
			all = append(all, Leave("needs "+IDAppObjects)) // which names it
		} else if why := leadsNowhere(service, pods); why != "" && !a.down(ctx, workload) {
			all = append(all, Refuse("Service "+name+" leads nowhere", why, installIn(a.World)))
		}
	}
	return worstFirst(all)
}

// down reports whether a Deployment is to have no pods.
func (a appLook) down(ctx context.Context, name string) bool {
	deployment, err := a.One(ctx, kinds.Deployment.GVR(), name)
	return err == nil && deployment != nil && scaledDown(deployment)
}

func scaledDown(deployment *unstructured.Unstructured) bool {
	replicas, given, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas")
	return given && replicas == 0
}

func named(objects []*unstructured.Unstructured, name string) *unstructured.Unstructured {
	for _, object := range objects {
		if object.GetName() == name {
			return object
		}
	}
	return nil
}

// leadsNowhere says why a Service reaches no pod, "" if it reaches one.
func leadsNowhere(service *unstructured.Unstructured, pods []*unstructured.Unstructured) string {
	selector, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
	if len(selector) == 0 {
		return "it has no selector"
	}
	matches := labels.SelectorFromSet(selector)
	var chosen []*unstructured.Unstructured
	for _, pod := range pods {
		if matches.Matches(labels.Set(pod.GetLabels())) && pod.GetDeletionTimestamp() == nil {
			chosen = append(chosen, pod)
		}
	}
	if len(chosen) == 0 {
		return "no pod has the labels it selects by: " + labels.FormatLabels(selector)
	}
	for _, pod := range chosen {
		if health.PodReady(pod) {
			return portsNowhere(service, pod)
		}
	}
	return fmt.Sprintf("of the %d pods it selects none is ready", len(chosen))
}

// portsNowhere finds a port that names one no container has. A number needs no
// such name: whether somebody listens there only a request tells.
func portsNowhere(service, pod *unstructured.Unstructured) string {
	names := map[string]bool{}
	for _, container := range health.Maps(pod.Object, "spec", "containers") {
		for _, port := range health.Maps(container, "ports") {
			names[health.Text(port, "name")] = true
		}
	}
	for _, port := range health.Maps(service.Object, "spec", "ports") {
		if target := health.Text(port, "targetPort"); target != "" && !names[target] {
			return "no container of its pods has a port named " + target
		}
	}
	return ""
}

// ofRoute judges the app's Route, where there is one to look at: not without OpenShift,
// and not where the install asked for another way in. would is as for Unseen.
func (a appLook) ofRoute(ctx context.Context, would string, judge func(*unstructured.Unstructured) Finding) Finding {
	route, err := a.One(ctx, kinds.Route.GVR(), routeName)
	switch {
	case err != nil && !apierrors.IsNotFound(err):
		return unreadable(a.Conn, err, "list routes.route.openshift.io in "+a.Namespace, would)
	case err != nil || route == nil:
		return Leave("there is no Route " + routeName)
	}
	return judge(route)
}

func (a appLook) admitted(ctx context.Context) Finding {
	return a.ofRoute(ctx, "whether a router has admitted the Route", func(route *unstructured.Unstructured) Finding {
		return notReady("Route "+routeName, route, health.Route(route))
	})
}

// askedTLS is what the values say about TLS of the Route or the Ingress.
type askedTLS int

const (
	tlsUnknown askedTLS = iota // nothing could be rendered
	tlsNone
	tlsAsked
)

// tlsAsAsked compares the TLS of the way to the app with what the values ask for.
func tlsAsAsked(ctx context.Context, a appLook) Finding {
	const what = "whether the way to the app has the TLS that the values ask for"
	if ingress := ofKind(a.objects, "Ingress"); ingress != nil {
		found, err := a.One(ctx, kinds.Ingress.GVR(), ingress.GetName())
		switch {
		case err != nil:
			return unreadable(a.Conn, err, "list ingresses.networking.k8s.io in "+a.Namespace, what)
		case found == nil:
			return Leave("there is no Ingress " + ingress.GetName())
		}
		return judgeIngressTLS(a.World, found, askedOf(ingress))
	}
	asked := tlsNone
	if route := ofKind(a.objects, "Route"); route != nil {
		asked = askedOf(route)
	} else if a.objects == nil {
		asked = tlsUnknown
	}
	return a.ofRoute(ctx, what, func(route *unstructured.Unstructured) Finding { return judgeRouteTLS(a.World, route, asked) })
}

// ofKind is the first object of a kind, nil if there is none.
func ofKind(objects []*unstructured.Unstructured, kind string) *unstructured.Unstructured {
	for _, object := range objects {
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
func judgeRouteTLS(w *live.World, route *unstructured.Unstructured, asked askedTLS) Finding {
	termination := health.Text(route.Object, "spec", "tls", "termination")
	policy := health.Text(route.Object, "spec", "tls", "insecureEdgeTerminationPolicy")
	namespace, name := route.GetNamespace(), route.GetName()
	withTLS := installIn(w, "--set", "route.tls=edge")
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
func judgeIngressTLS(w *live.World, ingress *unstructured.Unstructured, asked askedTLS) Finding {
	namespace, name := ingress.GetNamespace(), ingress.GetName()
	switch encrypted := health.Encrypted(ingress); {
	case encrypted && asked == tlsNone:
		return Warn("Ingress "+name+" has TLS", "the values ask for plain http (ingress.tls is empty)",
			"if that is intended, give install, check, status and diff the same ingress.tls\nto remove TLS: "+
				advice.Command("oc patch ingress", name, "-n", namespace, "--type=json", "-p", `[{"op":"remove","path":"/spec/tls"}]`))
	case !encrypted && asked == tlsAsked:
		return Warn("Ingress "+name+" has no TLS for its host: what is sent through it can be read on the way", "ingress.tls asks for https",
			installIn(w, "-f", "VALUES_FILE"))
	}
	return Pass()
}
