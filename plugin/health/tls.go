package health

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

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
	for _, rule := range Maps(ingress.Object, "spec", "rules") {
		if host := Text(rule, "host"); host != "" {
			return host
		}
	}
	return ""
}
