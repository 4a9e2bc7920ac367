package apply

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// DeliveredBy names who brings an object to the cluster by itself, and would undo
// or fight what we do to it: Argo CD, Flux or Helm; "" if none of them does. It
// recognises them by their field managers. An
// annotation of Argo CD or Helm counts as well, as long as a manager other than this
// tool owns it: both can work under another name than their own (Helm's library in
// another program), and people annotate an object for Helm to adopt it. What is left
// of an annotation that nobody owns means nothing, and neither does a label of Flux:
// Flux applies at every reconciliation, so it is a manager of all that it manages.
func DeliveredBy(obj *unstructured.Unstructured) string {
	for _, o := range owners(obj) {
		if by := delivererNamed(o.manager); by != "" && o.subresource == "" {
			return by
		}
	}
	switch {
	case annotatedByOthers(obj, argoTracking):
		return ArgoCD
	case annotatedByOthers(obj, helmRelease):
		return Helm
	}
	return ""
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

// delivererNamed is the engine of a field manager; "" if it is none's.
func delivererNamed(manager string) string {
	switch manager {
	case "argocd-controller", "argocd-application-controller", "argocd":
		return ArgoCD
	case "kustomize-controller", "helm-controller", "flux":
		return Flux
	case "helm":
		return Helm
	}
	return ""
}

// mayTake reports whether an object that is not ours may be taken over: by leave
// for all conflicts, or for those that are made by hand as Options.Recognise knows
// them, or, where it is brought by a deliverer, by leave for those.
// Without the latter such an object is refused before this is asked.
func mayTake(a *Applier, live *unstructured.Unstructured) bool {
	return a.opts.ForceConflicts || adoptable(a, live) || a.opts.ForceOwner && DeliveredBy(live) != ""
}

// managedBy says that a GitOps system or Helm brings the object. live may be nil.
func managedBy(a *Applier, ref Ref, live *unstructured.Unstructured, engine string) error {
	by := sourced(live, engine)
	instead := "change it in Git: " + a.opts.Set.Render
	if engine == Helm {
		instead = "upgrade the release: " + a.opts.Set.Upgrade
	}
	return alike(a, problem.Refuse(fmt.Sprintf("%s is managed by %s", inWords(a, ref), by),
		engine+" and this command would undo each other's work",
		instead+"; or take over what it manages with --force-owner"), ref, "are managed by "+by)
}

// sourced is an engine with what it applies an object from, if the object says that.
func sourced(live *unstructured.Unstructured, engine string) string {
	if live != nil && DeliveredBy(live) == engine {
		if source := Source(live); source != "" {
			return engine + " (" + source + ")"
		}
	}
	return engine
}

// deliveredRemoval says that somebody else would bring the object back.
func deliveredRemoval(a *Applier, ref Ref, live *unstructured.Unstructured, engine string) error {
	by := sourced(live, engine)
	instead := "remove it from Git (what it came from: " + a.opts.Set.Render + "), then run the same command again for " + a.opts.Set.Beside
	if engine == Helm {
		instead = "uninstall the release with Helm, then run the same command again for " + a.opts.Set.Beside
	}
	return alike(a, problem.Refuse(fmt.Sprintf("%s is managed by %s", inWords(a, ref), by),
		engine+" would bring back what is deleted here",
		instead+"; or delete what ostoy-s3 applied anyway with --force-owner"), ref, "are managed by "+by)
}

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
		if by := delivererNamed(manager); by != "" {
			names = append(names, by)
		}
	}
	return names
}

// CoOwners are the managers that own fields of an object that this tool owns as well.
func CoOwners(obj *unstructured.Unstructured) []string {
	ours := ourSet(obj)
	return managersWho(obj, func(o owner) bool { return o.manager != Manager && !o.set.Intersection(ours).Empty() })
}

// Source names what an engine applies an object from, as the object says: "Application
// demo", "Kustomization flux-system/demo"; "" if it does not say, or says what cannot
// be a name. Anybody who may edit the object may write it.
func Source(obj *unstructured.Unstructured) string {
	labels, annotations := obj.GetLabels(), obj.GetAnnotations()
	switch DeliveredBy(obj) {
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

// conflict is one field that somebody else owns with another value.
type conflict struct {
	field       string
	manager     string
	subresource string
	applied     bool // theirs is an Apply, not an Update
}

// conflictsOf lists the field conflicts an error tells of; none if it is
// another kind of error. What cannot be parsed counts as another applier's,
// because that is never overridden.
func conflictsOf(err error) []conflict {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Code != http.StatusConflict || status.Status().Details == nil {
		return nil
	}
	var out []conflict
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		c := conflict{field: strings.TrimPrefix(cause.Field, "."), manager: cause.Message, applied: true}
		c.readMessage(cause.Message)
		out = append(out, c)
	}
	return out
}

// readMessage reads what the API server writes for one conflict:
//
//	conflict with "NAME"[ with subresource "SUB"][ using VERSION[ at TIME]]
//
// Only an Update has a version (apimachinery, managedfields/internal/conflict.go).
func (c *conflict) readMessage(text string) {
	const quoted = `("(?:[^"\\]|\\.)*")`
	m := regexp.MustCompile("^conflict with " + quoted + "(?: with subresource " + quoted + ")?( using )?").FindStringSubmatch(text)
	if m == nil {
		return
	}
	if name, err := strconv.Unquote(m[1]); err == nil {
		c.manager = name
		c.subresource, _ = strconv.Unquote(m[2])
		c.applied = m[3] == ""
	}
}

// byHand reports whether the conflict is with somebody who edited the object:
// kubectl edit, patch or scale, the web console. Such edits are put back.
// Appliers and autoscalers are not: they would come back, for ever.
func (c conflict) byHand() bool {
	if c.subresource != "" {
		return !c.applied && c.subresource == "scale" && slices.Contains([]string{"kubectl", "oc", "Mozilla"}, c.manager)
	}
	return !c.applied && delivererNamed(c.manager) == ""
}

func (c conflict) String() string {
	who := c.manager
	switch {
	case c.subresource != "":
		who += " (through /" + c.subresource + ")"
	case c.applied:
		who += " (server-side apply)"
	}
	return c.field + " is set by " + who
}
