package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
)

// endpoints looks whether the Services choose pods that are ready, by the rule
// the cluster itself goes by: every label of the selector.
func (a appLook) endpoints(ctx context.Context) Finding {
	services, err := a.Here(ctx, live.Services())
	if err != nil {
		return unreadable(a.Conn, err, "list services in "+a.Namespace, "whether the Services lead to pods")
	}
	pods, err := a.Here(ctx, live.Pods())
	if err != nil {
		return unreadable(a.Conn, err, "list pods in "+a.Namespace, "whether the Services lead to pods")
	}
	for _, workload := range []string{frontendName, microserviceName} {
		name := workload + "-svc"
		service := named(services, name)
		if service == nil {
			return Refuse("there is no Service "+name, "nothing leads to "+workload, installIn(a.Namespace))
		}
		if why := leadsNowhere(service, pods); why != "" && !a.down(ctx, workload) {
			return Refuse("Service "+name+" leads nowhere", why, installIn(a.Namespace))
		}
	}
	return Pass()
}

// down reports whether a Deployment is to have no pods.
func (a appLook) down(ctx context.Context, name string) bool {
	deployment, err := a.One(ctx, live.Deployments(), name)
	if err != nil || deployment == nil {
		return false
	}
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
	var chosen []*unstructured.Unstructured
	for _, pod := range pods {
		if has(pod.GetLabels(), selector) && pod.GetDeletionTimestamp() == nil {
			chosen = append(chosen, pod)
		}
	}
	if len(chosen) == 0 {
		return "no pod has the labels it selects by: " + labelText(selector)
	}
	for _, pod := range chosen {
		if podReady(pod) {
			return portsNowhere(service, pod)
		}
	}
	return fmt.Sprintf("of the %d pods it selects none is ready", len(chosen))
}

func has(labels, selector map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return true
}

func labelText(labels map[string]string) string {
	list := make([]string, 0, len(labels))
	for key, value := range labels {
		list = append(list, key+"="+value)
	}
	return strings.Join(slices.Sorted(slices.Values(list)), ",")
}

func podReady(pod *unstructured.Unstructured) bool {
	for _, condition := range health.Maps(pod.Object, "status", "conditions") {
		if condition["type"] == "Ready" {
			return condition["status"] == "True"
		}
	}
	return false
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

// route is the app's Route; nil, and no error, where there is none to look at:
// no OpenShift, or an install that asked for another way in.
func (a appLook) route(ctx context.Context) (*unstructured.Unstructured, error) {
	route, err := a.One(ctx, live.Routes(), routeName)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return route, err
}

func (a appLook) admitted(ctx context.Context) Finding {
	route, err := a.route(ctx)
	switch {
	case err != nil:
		return unreadable(a.Conn, err, "list routes.route.openshift.io in "+a.Namespace, "whether a router has admitted the Route")
	case route == nil:
		return Leave("there is no Route " + routeName)
	}
	return notReady("Route "+routeName, route, health.Route(route))
}
