package render

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// servesRoutes reports whether the cluster serves OpenShift's Routes.
func servesRoutes(f Facts) bool {
	return slices.ContainsFunc(f.APIVersions.Values, func(v string) bool {
		return v == routeAPI || strings.HasPrefix(v, routeAPI+"/")
	})
}

// openShiftClass is the ingress class of OpenShift's default router.
const openShiftClass = "openshift-default"

// byOtherIngress reports whether the app is exposed by an Ingress of another class than
// OpenShift's. Its controller can be in any namespace, so no policy that the chart could
// write is known to allow it. The annotation is what named the class before
// ingressClassName.
func byOtherIngress(values map[string]any) bool {
	if values["expose"] != "ingress" {
		return false
	}
	class, _, _ := unstructured.NestedString(values, "ingress", "className")
	if class == "" {
		class, _, _ = unstructured.NestedString(values, "ingress", "annotations", "kubernetes.io/ingress.class")
	}
	return class != "" && class != openShiftClass
}

// resolvePolicy decides "auto" of networkPolicy.ingress, so that the values that are
// printed give Helm the same objects, whatever it knows of the cluster. A value that
// the user removed with null counts as "auto", as in the templates.
func resolvePolicy(values map[string]any, f Facts) {
	policy, _ := values["networkPolicy"].(map[string]any)
	if policy["ingress"] != nil && policy["ingress"] != "auto" {
		return
	}
	resolved := map[string]any{}
	maps.Copy(resolved, policy)
	resolved["ingress"] = "open"
	if servesRoutes(f) && !byOtherIngress(values) {
		resolved["ingress"] = "restricted"
	}
	values["networkPolicy"] = resolved
}
