package apply

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// ErrAdoptable marks the refusal of an object that is not ours and that
// Options.Adopt would bring in; for errors.Is.
var ErrAdoptable = errors.New("it can be adopted")

// Adopted is the Why of an object that is not ours yet and becomes so, by
// Options.Adopt. OtherManagers says who has it.
const Adopted = "made by hand, and taken over"

// adoptable reports whether an object that is not ours may be taken over as one
// that somebody made by hand.
func adoptable(a *Applier, live *unstructured.Unstructured) bool {
	return a.opts.Adopt && recognised(a, live)
}

func recognised(a *Applier, live *unstructured.Unstructured) bool {
	return a.opts.Recognise != nil && live != nil && !a.ours(live) && a.opts.Recognise(live) == ""
}

// adopting notes in an item that is to be adopted what becomes of it. kubectl's own
// note of what it applied goes: it would not be true any more, and repeats the data
// of a Secret.
func adopting(a *Applier, it *Item) {
	if it.Action != Update || !adoptable(a, it.Live) {
		return
	}
	it.manner.adopt = true
	it.Why = Adopted
	it.Would = it.Would.DeepCopy()
	unstructured.RemoveNestedField(it.Would.Object, "metadata", "annotations", lastApplied)
}

// handOver makes an object that people made by hand ours, before it is applied: the
// fields that we are going to state become ours alone in its managedFields, as far
// as people's tools own them, and kubectl's note of what it applied goes. That is
// what `kubectl apply --server-side` does with what was applied on the client's side,
// field by field: what only they state stays theirs. Without it they would own our
// fields beside us for ever, and a field that a later version leaves out would stay.
//
// It is a request of its own, because an apply may not touch managedFields. Who is
// cut off behind it leaves an object of ours that the next install puts right.
func handOver(ctx context.Context, a *Applier, it *Item) error {
	_, err := a.change(ctx, it.Ref, func(live *unstructured.Unstructured) (map[string]any, error) {
		switch {
		case a.ours(live): // handed over before the answer was lost
			return nil, nil
		case !adoptable(a, live): // somebody else came meanwhile
			return nil, foreign(a, it.Ref, live, "")
		}
		return handedOver(live, ourSet(it.Would), metav1.NewTime(a.opts.Now())), nil
	})
	return err
}

// handedOver is the patch: taken are the fields that become ours.
func handedOver(live *unstructured.Unstructured, taken *fieldpath.Set, now metav1.Time) map[string]any {
	theirs, given := fieldpath.NewSet(), taken.Union(inner(taken))
	given.Insert(fieldpath.MakePathOrDie("metadata", "annotations", lastApplied))
	var entries []any
	all, _, _ := unstructured.NestedSlice(live.Object, "metadata", "managedFields")
	for n, o := range owners(live) {
		fields, ok := all[n].(map[string]any)
		if !ok || o.subresource != "" || !ByPerson(o.manager) {
			entries = append(entries, all[n])
			continue
		}
		theirs = theirs.Union(o.set)
		if rest := o.set.Difference(given); !rest.Empty() {
			fields["fieldsV1"] = fieldsOf(rest)
			entries = append(entries, fields)
		}
	}
	if ours := theirs.Intersection(taken); !ours.Empty() {
		entries = append(entries, entryOf(live, Manager, metav1.ManagedFieldsOperationApply, fieldsOf(ours), now))
	}
	if _, there := live.GetAnnotations()[lastApplied]; there {
		return managing(entries, mark{"annotations", lastApplied})
	}
	return managing(entries)
}

// fieldsOf is a set as managedFields has it.
func fieldsOf(set *fieldpath.Set) map[string]any {
	fields := map[string]any{}
	if data, err := set.ToJSON(); err == nil {
		_ = json.Unmarshal(data, &fields)
	}
	return fields
}

// inner are the nodes on the way to the fields of a set. Tools that update own them
// as well, appliers do not.
func inner(set *fieldpath.Set) *fieldpath.Set {
	nodes := fieldpath.NewSet()
	set.Iterate(func(p fieldpath.Path) {
		for n := 1; n < len(p); n++ {
			nodes.Insert(slices.Clone(p[:n]))
		}
	})
	return nodes
}

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
	managers []string
	marks    []mark
}

// mark is a label or an annotation in which an engine notes what applied an object.
type mark struct{ part, key string } // "labels" or "annotations"

// tracesOn finds what engines have left on an object, except what is stated there
// anyway. Whether an engine still manages it does not matter here.
func tracesOn(live, stated *unstructured.Unstructured) traces {
	var t traces
	for _, name := range managerNames(live) {
		if delivererNamed(name) != "" || name == BeforeFirstApply {
			t.managers = append(t.managers, name)
		}
	}
	note := func(part string, live, stated map[string]string, keys ...string) {
		for _, key := range keys {
			_, there := live[key]
			if _, wanted := stated[key]; there && !wanted {
				t.marks = append(t.marks, mark{part, key})
			}
		}
	}
	note("annotations", live.GetAnnotations(), stated.GetAnnotations(), argoTracking, argoInstallation, helmRelease, helmReleaseIn)
	note("labels", live.GetLabels(), stated.GetLabels(), fluxName, fluxNamespace, fluxHelmName, fluxHelmIn)
	return t
}

func (t traces) none() bool { return len(t.managers)+len(t.marks) == 0 }

// Takes reports whether the object is taken over from Argo CD, Flux or Helm:
// everything that names them on it is removed.
func (it *Item) Takes() bool { return it.manner.take }

// OnlyTaken reports whether an object is taken over, and nothing else of it changes.
func (it *Item) OnlyTaken() bool { return it.manner.take && len(it.Changes) == it.manner.marks }

// taking notes in an item what Options.ForceOwner takes off the object, because the
// next run without it, and uninstall, would find the engine's name there again.
func taking(a *Applier, it *Item) {
	if !a.opts.ForceOwner || it.Action != Update && it.Action != Unchanged {
		return
	}
	left := tracesOn(it.Live, it.object)
	if left.none() {
		return
	}
	it.manner.take, it.Action = true, Update
	it.manner.marks = len(left.marks)
	it.Why = TakenOver
	if by := DeliveredBy(it.Live); by != "" {
		it.Why += " from " + by
	}
	it.Would = it.Would.DeepCopy()
	for _, m := range left.marks {
		path := []step{{field: "metadata"}, {field: m.part}, {field: m.key}}
		value, _, _ := unstructured.NestedString(it.Live.Object, "metadata", m.part, m.key)
		it.Changes = append(it.Changes, redact(it.Ref.Kind, path, FieldChange{Path: pathString(path), Before: value}))
		unstructured.RemoveNestedField(it.Would.Object, "metadata", m.part, m.key)
	}
}

// takeOver removes what names an engine from an object, before it is applied. What
// the engine owns of the fields that install states becomes ours; its other fields
// keep their values, and nobody owns them. It is a request of its own, because an
// apply may not touch managedFields; a run that is interrupted after it is continued
// by the next install, without --force-owner.
func takeOver(ctx context.Context, a *Applier, it *Item) error {
	_, err := a.change(ctx, it.Ref, func(live *unstructured.Unstructured) (map[string]any, error) {
		left := tracesOn(live, it.object)
		if live.GetUID() != it.Live.GetUID() || left.none() {
			return nil, nil
		}
		return takenOver(live, left, ourSet(it.Would), metav1.NewTime(a.opts.Now())), nil
	})
	return err
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
	return managing(entries, left.marks...)
}

// managing is the patch that gives an object these managedFields and takes marks away.
func managing(entries []any, gone ...mark) map[string]any {
	patch := map[string]any{"metadata": map[string]any{"managedFields": entries}}
	for _, m := range gone {
		_ = unstructured.SetNestedField(patch, nil, "metadata", m.part, m.key) // fails only below what is no map
	}
	return patch
}

// entryOf is an entry of managedFields.
func entryOf(live *unstructured.Unstructured, manager string, operation metav1.ManagedFieldsOperationType, fields map[string]any, now metav1.Time) map[string]any {
	return map[string]any{
		"manager": manager, "operation": string(operation), "apiVersion": live.GetAPIVersion(),
		"time": now.UTC().Format("2006-01-02T15:04:05Z"), "fieldsType": "FieldsV1", "fieldsV1": fields,
	}
}
