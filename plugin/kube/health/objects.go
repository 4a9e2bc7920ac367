package health

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
)

// Deployment judges a Deployment by the rules of kubectl rollout status,
// and by what its newest pods say, which is known long before the rollout's
// own deadline.
func Deployment(obj *unstructured.Unstructured, pods []*unstructured.Unstructured, in Around) State {
	return judgeDeployment(obj, pods, in).plainly()
}

func judgeDeployment(obj *unstructured.Unstructured, pods []*unstructured.Unstructured, in Around) State {
	d := obj.Object
	if obj.GetDeletionTimestamp() != nil {
		return deleted()
	}
	if Number(d, "status", "observedGeneration") < obj.GetGeneration() {
		return State{Text: "waiting for the deployment controller"}
	}
	want := int64(1)
	if n, ok, _ := unstructured.NestedInt64(d, "spec", "replicas"); ok {
		want = n
	}
	updated, available := Number(d, "status", "updatedReplicas"), Number(d, "status", "availableReplicas")
	total := Number(d, "status", "replicas")
	if updated >= want && total <= updated && available >= updated {
		return State{Text: fmt.Sprintf("%d of %d available", available, want), Ready: true}
	}
	return rollingOut(obj, pods, in, fmt.Sprintf("%d of %d available", min(available, updated), want), updated > 0)
}

// rollingOut is the State of a Deployment that is not there yet.
func rollingOut(obj *unstructured.Unstructured, pods []*unstructured.Unstructured, in Around, counts string, begun bool) State {
	conds := Conditions(obj)
	if c, _ := find(conds, "ReplicaFailure"); c.status == "True" {
		return noPods(obj, c, in)
	}
	pod := State{}
	if begun {
		pod = worstPod(pods, in)
	}
	late, _ := find(conds, "Progressing")
	// The deadline ends nothing: a rollout that waits for what passes continues after it.
	if late.status == "False" && late.reason == "ProgressDeadlineExceeded" && !pod.passes() {
		s := State{Text: counts + ", and its deadline for progress is over", Hint: advice.Command("oc describe pods", "-n", obj.GetNamespace())}
		if pod.Text != "" {
			s.Text, s.About = s.Text+"; "+pod.Text, pod.About
		}
		s.Hint = cmp.Or(pod.Hint, s.Hint)
		return Failing(s)
	}
	if pod.Text != "" {
		return pod
	}
	return State{Text: counts}
}

// noPods says why pods cannot even be created. Quotas are counted anew and
// OpenShift's limits for a new project arrive a little later than its first
// objects, so each must last.
func noPods(obj *unstructured.Unstructured, c Condition, in Around) State {
	ns := obj.GetNamespace()
	_, rest, _ := strings.Cut(c.message, "is forbidden: ")
	why := cmp.Or(rest, c.message)
	s := State{Level: Warn, Text: "its pods cannot be made: " + why, Code: "ReplicaFailure", Hint: advice.Command("oc describe replicasets", "-n", ns)}
	if !refusedPods(c.message) {
		s.Text += "; the replica set controller tries again"
		return s
	}
	grace := createFailedGrace
	switch {
	case strings.Contains(c.message, "exceeded quota"):
		s.Hint = advice.Command("oc describe quota", "-n", ns) + "; free something there, or ask for more"
		grace = deniedGrace
	case strings.Contains(c.message, "violates PodSecurity"):
		s.Hint = "the level is in the labels of namespace " + ns + "; the settings of the chart pass \"restricted\": look at what -f and --set change"
		grace = deniedGrace
	case strings.Contains(c.message, "security context constraint"):
		s.About = SCC
		s.Hint = "the settings of the chart pass restricted-v2: look at what -f and --set change"
		if in.Install != nil {
			s.Hint += ", or allow the app the SCC restricted, too:\n" + in.Install("--set", "scc.restricted=true")
		}
		grace = deniedGrace
	}
	return Graced(s, grace)
}

// refusedPods reports whether pods were refused for what they are. Everything else, as a
// webhook or an API server that does not answer, passes.
func refusedPods(message string) bool {
	return !strings.Contains(message, "failed calling webhook") &&
		regexp.MustCompile(`is forbidden|denied the request|denied request|is invalid`).MatchString(message)
}

// CurrentPods are the pods of a Deployment's newest template that are still
// to live: the newest hash is the one of the youngest pod. Old pods of a
// rollout that replaces them say nothing about it.
func CurrentPods(deployment *unstructured.Unstructured, all []*unstructured.Unstructured) []*unstructured.Unstructured {
	selector, _, _ := unstructured.NestedStringMap(deployment.Object, "spec", "selector", "matchLabels")
	var mine []*unstructured.Unstructured
	var youngest *unstructured.Unstructured
	for _, pod := range all {
		if !selected(pod, selector) || pod.GetDeletionTimestamp() != nil || over(pod) {
			continue
		}
		mine = append(mine, pod)
		if youngest == nil || pod.GetCreationTimestamp().After(youngest.GetCreationTimestamp().Time) {
			youngest = pod
		}
	}
	return slices.DeleteFunc(mine, func(pod *unstructured.Unstructured) bool { return TemplateHash(pod) != TemplateHash(youngest) })
}

// TemplateHash says which template a pod was made from.
func TemplateHash(pod *unstructured.Unstructured) string { return pod.GetLabels()["pod-template-hash"] }

func selected(pod *unstructured.Unstructured, selector map[string]string) bool {
	return len(selector) > 0 && TemplateHash(pod) != "" && labels.SelectorFromSet(selector).Matches(labels.Set(pod.GetLabels()))
}

// over reports whether a pod has ended and will be replaced, as when evicted.
func over(pod *unstructured.Unstructured) bool {
	phase := Text(pod.Object, "status", "phase")
	return phase == "Failed" || phase == "Succeeded"
}

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
