package render

import (
	"maps"
	"slices"
	"strings"
)

// servesRoutes reports whether the cluster serves OpenShift's Routes.
func servesRoutes(f Facts) bool {
	return slices.ContainsFunc(f.APIVersions.Values, func(v string) bool {
		return v == routeAPI || strings.HasPrefix(v, routeAPI+"/")
	})
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
	if servesRoutes(f) {
		resolved["ingress"] = "restricted"
	}
	values["networkPolicy"] = resolved
}
