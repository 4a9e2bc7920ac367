package apply

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
)

// The engines as DeliveredBy and TakenOverBy name them.
const (
	ArgoCD = "Argo CD"
	Flux   = "Flux"
	Helm   = "Helm"
)

// TakenOverBy names the engines that own fields of an object that this tool owns as
// well, so that they manage the object when this tool no longer does. A label or an
// annotation is not enough: an Argo CD Application whose objects already equal its
// manifests is Synced and applies nothing.
func TakenOverBy(obj *unstructured.Unstructured) []string {
	var names []string
	for _, manager := range CoOwners(obj) {
		if by, engine := delivererNamed(manager); engine {
			names = append(names, by.name)
		}
	}
	return names
}

// CoOwners are the managers that own fields of an object that this tool owns as well.
func CoOwners(obj *unstructured.Unstructured) []string {
	ours := ourSet(obj)
	var names []string
	for _, o := range owners(obj) {
		if o.manager != Manager && o.subresource == "" && !slices.Contains(names, o.manager) && !o.set.Intersection(ours).Empty() {
			names = append(names, o.manager)
		}
	}
	return names
}

// Source names what an engine applies an object from, as the object says: "Application
// demo", "Kustomization flux-system/demo"; "" if it does not say, or says what cannot
// be a name. Anybody who may edit the object may write it.
func Source(obj *unstructured.Unstructured) string {
	by, _ := deliveredBy(obj)
	labels, annotations := obj.GetLabels(), obj.GetAnnotations()
	switch by.name {
	case ArgoCD:
		// name:group/Kind:namespace/name; an Application outside of Argo CD's own
		// namespace is namespace_name (Argo CD, "Applications in any namespace").
		name, _, _ := strings.Cut(annotations[argoTracking], ":")
		return namedSource("Application", strings.Split(name, "_"))
	case Flux:
		if source := namedSource("Kustomization", []string{labels[fluxNamespace], labels[fluxName]}); source != "" {
			return source
		}
		return namedSource("HelmRelease", []string{labels[fluxHelmIn], labels[fluxHelmName]})
	case Helm:
		return namedSource("release", []string{annotations[helmReleaseIn], annotations[helmRelease]})
	}
	return ""
}

func namedSource(kind string, names []string) string {
	const most = 2 // namespace and name
	for _, name := range names {
		if len(names) > most || len(validation.IsDNS1123Subdomain(name)) > 0 {
			return ""
		}
	}
	return kind + " " + strings.Join(names, "/")
}
