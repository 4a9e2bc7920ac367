package apply

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// deliverer is a system that brings objects to clusters by itself, and would
// undo or fight what we do to them.
type deliverer struct {
	name string
	helm bool // and not from Git
}

// deliveredBy recognises Argo CD, Flux and Helm by their field managers. An
// annotation of Argo CD or Helm counts as well, as long as a manager other than this
// tool owns it: both can work under another name than their own (Helm's library in
// another program), and people annotate an object for Helm to adopt it. What is left
// of an annotation that nobody owns means nothing, and neither does a label of Flux:
// Flux applies at every reconciliation, so it is a manager of all that it manages.
func deliveredBy(obj *unstructured.Unstructured) (deliverer, bool) {
	for _, o := range owners(obj) {
		if o.subresource == "" {
			if d, ok := delivererNamed(o.manager); ok {
				return d, true
			}
		}
	}
	switch {
	case annotatedByOthers(obj, argoTracking):
		return delivererNamed("argocd-controller")
	case annotatedByOthers(obj, helmRelease):
		return delivererNamed("helm")
	}
	return deliverer{}, false
}

// annotatedByOthers reports whether a manager other than this tool owns an annotation
// that an object has.
func annotatedByOthers(obj *unstructured.Unstructured, key string) bool {
	if _, there := obj.GetAnnotations()[key]; !there {
		return false
	}
	path := []step{{field: "metadata"}, {field: "annotations"}, {field: key}}
	return slices.ContainsFunc(owners(obj), func(o owner) bool {
		return o.manager != Manager && o.manager != Releaser && covers(o.set, path)
	})
}

// DeliveredBy names who brings an object to the cluster by itself: Argo CD, Flux
// or Helm; "" if none of them does.
func DeliveredBy(obj *unstructured.Unstructured) string {
	by, _ := deliveredBy(obj)
	return by.name
}

func delivererNamed(manager string) (deliverer, bool) {
	switch manager {
	case "argocd-controller", "argocd-application-controller", "argocd":
		return deliverer{name: ArgoCD}, true
	case "kustomize-controller", "helm-controller", "flux":
		return deliverer{name: Flux}, true
	case "helm":
		return deliverer{name: Helm, helm: true}, true
	}
	return deliverer{}, false
}

// mayTake reports whether an object that is not ours may be taken over: by leave
// for all conflicts, or for those that are made by hand as Options.Recognise knows
// them, or, where it is brought by a deliverer, by leave for those.
// Without the latter such an object is refused before this is asked.
func (a *Applier) mayTake(live *unstructured.Unstructured) bool {
	_, delivered := deliveredBy(live)
	return a.opts.ForceConflicts || a.adoptable(live) || delivered && a.opts.ForceOwner
}

// delivered says that a GitOps system or Helm brings the object.
func (a *Applier) delivered(ref Ref, by deliverer) error {
	instead := "change it in Git: " + a.opts.Set.Render
	if by.helm {
		instead = "upgrade the release: " + a.opts.Set.Upgrade
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("%s is managed by %s", a.named(ref), by.name),
		Why:  by.name + " and this command would undo each other's work",
		Next: instead + "; or take it over with --force-owner",
	}
}

// deliveredRemoval says that somebody else would bring the object back.
func (a *Applier) deliveredRemoval(ref Ref, by deliverer) error {
	instead := "remove it from Git (what it came from: " + a.opts.Set.Render + "), then run the same command again for " + a.opts.Set.Beside
	if by.helm {
		instead = "uninstall the release with Helm, then run the same command again for " + a.opts.Set.Beside
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("%s is managed by %s", a.named(ref), by.name),
		Why:  by.name + " would bring back what is deleted here",
		Next: instead + "; or delete what is ours all the same with --force-owner",
	}
}
