package apply

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// The labels and annotations in which engines note what applied an object.
const (
	argoTracking     = "argocd.argoproj.io/tracking-id"
	argoInstallation = "argocd.argoproj.io/installation-id"
	helmRelease      = "meta.helm.sh/release-name"
	helmReleaseIn    = "meta.helm.sh/release-namespace"
	fluxName         = "kustomize.toolkit.fluxcd.io/name"
	fluxNamespace    = "kustomize.toolkit.fluxcd.io/namespace"
	fluxHelmName     = "helm.toolkit.fluxcd.io/name"
	fluxHelmIn       = "helm.toolkit.fluxcd.io/namespace"
)

// BeforeFirstApply is the manager to which the API server gives all fields of an
// object without managers at its first server-side apply (Kubernetes,
// managedfields/internal/skipnonapplied.go). As their second owner it keeps a field
// that the applier later leaves out.
const BeforeFirstApply = "before-first-apply"

// traces are what is on an object of a manager that no longer manages it.
type traces struct {
	managers            []string
	labels, annotations []string
}

// tracesOn finds what engines have left on an object, except what is stated there
// anyway. Whether an engine still manages it does not matter here.
func tracesOn(live, stated *unstructured.Unstructured) traces {
	t := traces{labels: []string{}, annotations: []string{}}
	for _, name := range managerNames(live) {
		if _, engine := delivererNamed(name); engine || name == BeforeFirstApply {
			t.managers = append(t.managers, name)
		}
	}
	t.labels = known(live.GetLabels(), stated.GetLabels(), fluxName, fluxNamespace, fluxHelmName, fluxHelmIn)
	t.annotations = known(live.GetAnnotations(), stated.GetAnnotations(), argoTracking, argoInstallation, helmRelease, helmReleaseIn)
	return t
}

// known are the keys that an object has and that nobody states.
func known(live, stated map[string]string, keys ...string) []string {
	return slices.DeleteFunc(keys, func(key string) bool {
		_, there := live[key]
		_, wanted := stated[key]
		return !there || wanted
	})
}

func (t traces) none() bool { return len(t.managers)+len(t.labels)+len(t.annotations) == 0 }

// Takes reports whether the object is taken over from Argo CD, Flux or Helm:
// everything that names them on it is removed.
func (it *Item) Takes() bool { return it.before.take }

// OnlyTaken reports whether an object is taken over, and nothing else of it changes.
func (it *Item) OnlyTaken() bool { return it.before.take && len(it.Changes) == it.before.marks }

// taking notes in an item what Options.ForceOwner takes off the object, because the
// next run without it, and uninstall, would find the engine's name there again.
func (a *Applier) taking(it *Item) {
	if !a.opts.ForceOwner || it.Action != Update && it.Action != Unchanged {
		return
	}
	left := tracesOn(it.Live, it.object)
	if left.none() {
		return
	}
	it.before.take, it.Action = true, Update
	it.before.marks = len(left.annotations) + len(left.labels)
	it.Why = TakenOver
	if by, ok := deliveredBy(it.Live); ok {
		it.Why += " from " + by.name
	}
	if it.Would != nil {
		it.Would = it.Would.DeepCopy()
	}
	for _, part := range []struct {
		name string
		keys []string
	}{{"annotations", left.annotations}, {"labels", left.labels}} {
		for _, key := range part.keys {
			path := []step{{field: "metadata"}, {field: part.name}, {field: key}}
			value, _, _ := unstructured.NestedString(it.Live.Object, "metadata", part.name, key)
			it.Changes = append(it.Changes, redact(it.Ref.Kind, path, FieldChange{Path: pathString(path), Before: value}))
			if it.Would != nil {
				unstructured.RemoveNestedField(it.Would.Object, "metadata", part.name, key)
			}
		}
	}
}

// takeOver removes what names an engine from an object, before it is applied. What
// the engine owns of the fields that install states becomes ours; its other fields
// keep their values, and nobody owns them. It is a request of its own, because an
// apply may not touch managedFields; a run that is interrupted after it is continued
// by the next install, without --force-owner.
func (a *Applier) takeOver(ctx context.Context, it *Item) error {
	client, err := a.client(ctx, it.Ref.GVK())
	if err != nil {
		return err
	}
	return a.retry(ctx, func() error {
		live, err := a.get(ctx, it.Ref)
		if err != nil || live == nil || live.GetUID() != it.Live.GetUID() {
			return err
		}
		left := tracesOn(live, it.object)
		if left.none() {
			return nil
		}
		data, err := seen(takenOver(live, left, ourSet(it.Would), metav1.NewTime(a.opts.Now())), live)
		if err != nil {
			return err
		}
		_, err = client.Patch(ctx, it.Ref.Name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: Manager})
		return err
	})
}

// takenOver is the patch: taken are the fields that become ours.
func takenOver(live *unstructured.Unstructured, left traces, taken *fieldpath.Set, now metav1.Time) map[string]any {
	ours, theirs := fieldpath.NewSet(), fieldpath.NewSet()
	var entries []any
	all, _, _ := unstructured.NestedSlice(live.Object, "metadata", "managedFields")
	for n, o := range owners(live) {
		switch {
		case o.isUs():
			ours = ours.Union(o.set)
		case o.subresource == "" && slices.Contains(left.managers, o.manager):
			theirs = theirs.Union(o.set)
		default:
			entries = append(entries, all[n])
		}
	}
	if ours = ours.Union(theirs.Intersection(taken)); !ours.Empty() {
		entries = append(entries, entryOf(live, Manager, metav1.ManagedFieldsOperationApply, fieldsOf(ours), now))
	}
	if len(entries) == 0 {
		entries = append(entries, releasedEntry(live, now))
	}
	metadata := map[string]any{"managedFields": entries}
	for part, keys := range map[string][]string{"labels": left.labels, "annotations": left.annotations} {
		gone := map[string]any{}
		for _, key := range keys {
			gone[key] = nil
		}
		if len(gone) > 0 {
			metadata[part] = gone
		}
	}
	return map[string]any{"metadata": metadata}
}

// entryOf is an entry of managedFields.
func entryOf(live *unstructured.Unstructured, manager string, operation metav1.ManagedFieldsOperationType, fields map[string]any, now metav1.Time) map[string]any {
	return map[string]any{
		"manager": manager, "operation": string(operation), "apiVersion": live.GetAPIVersion(),
		"time": now.UTC().Format("2006-01-02T15:04:05Z"), "fieldsType": "FieldsV1", "fieldsV1": fields,
	}
}
