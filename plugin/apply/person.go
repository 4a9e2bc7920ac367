package apply

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// ByPerson reports whether a field manager is the tool of somebody at a terminal
// or in the web console: kubectl and oc name themselves by their subcommands
// ("kubectl-client-side-apply", "kubectl-patch"), an applier "kubectl"; a browser
// is named by the first word of its user agent.
func ByPerson(manager string) bool {
	return manager == "kubectl" || manager == "oc" || manager == "Mozilla" ||
		strings.HasPrefix(manager, "kubectl-") || strings.HasPrefix(manager, "oc-")
}

// Setters are the managers of an object that have set a field, or something below
// it, but through a subresource: "spec", "selector".
func Setters(obj *unstructured.Unstructured, place ...string) []string {
	var names []string
	for _, o := range owners(obj) {
		if o.subresource == "" && o.below(place) && !slices.Contains(names, o.manager) {
			names = append(names, o.manager)
		}
	}
	return names
}

// below reports whether an owner has a field at a place, or below it.
func (o owner) below(place []string) (found bool) {
	o.set.Iterate(func(p fieldpath.Path) {
		if len(p) < len(place) {
			return
		}
		for n, name := range place {
			if p[n].FieldName == nil || *p[n].FieldName != name {
				return
			}
		}
		found = true
	})
	return found
}
