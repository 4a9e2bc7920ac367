package apply

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// byPerson reports whether a field manager is the tool of somebody at a terminal
// or in the web console: kubectl and oc name themselves by their subcommands
// ("kubectl-client-side-apply", "kubectl-patch"), an applier "kubectl"; a browser
// is named by the first word of its user agent.
func byPerson(manager string) bool {
	return manager == "kubectl" || manager == "oc" || manager == "Mozilla" ||
		strings.HasPrefix(manager, "kubectl-") || strings.HasPrefix(manager, "oc-")
}

// Programs are the managers of an object that are neither us nor people's tools,
// as far as they say what the object is to be: who only reports a status or leaves
// notes in the metadata is none of them.
func Programs(obj *unstructured.Unstructured) []string {
	var names []string
	for _, o := range owners(obj) {
		if o.manager == Manager || byPerson(o.manager) || o.subresource == "status" || !o.beyondMetadata() {
			continue
		}
		if !slices.Contains(names, o.manager) {
			names = append(names, o.manager)
		}
	}
	return names
}

// beyondMetadata reports whether a manager owns a field outside of metadata and
// status.
func (o owner) beyondMetadata() bool {
	found := false
	o.set.Iterate(func(p fieldpath.Path) {
		top := p[0].FieldName
		found = found || top == nil || *top != "metadata" && *top != "status"
	})
	return found
}
