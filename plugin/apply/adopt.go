package apply

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
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
func (a *Applier) adoptable(live *unstructured.Unstructured) bool {
	return a.opts.Adopt && a.recognised(live)
}

func (a *Applier) recognised(live *unstructured.Unstructured) bool {
	return a.opts.Recognise != nil && live != nil && !a.ours(live) && a.opts.Recognise(live) == ""
}

// adopting notes in an item that is to be adopted what becomes of it. kubectl's own
// note of what it applied goes: it would not be true any more, and repeats the data
// of a Secret.
func (a *Applier) adopting(it *Item) {
	if it.Action != Update || !a.adoptable(it.Live) {
		return
	}
	it.before.adopt = true
	it.Why = Adopted
	if it.Would != nil {
		it.Would = it.Would.DeepCopy()
		unstructured.RemoveNestedField(it.Would.Object, "metadata", "annotations", lastApplied)
	}
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
func (a *Applier) handOver(ctx context.Context, it *Item) error {
	client, err := a.client(ctx, it.Ref.GVK())
	if err != nil {
		return err
	}
	return a.retry(ctx, func() error {
		live, err := a.get(ctx, it.Ref)
		if err != nil || live == nil || a.ours(live) { // gone, or handed over before the answer was lost
			return err
		}
		if !a.adoptable(live) { // somebody else came meanwhile
			return a.foreign(it.Ref, live, "")
		}
		patch := handedOver(live, ourSet(it.Would), metav1.NewTime(a.opts.Now()))
		data, err := seen(patch, live)
		if err != nil {
			return err
		}
		_, err = client.Patch(ctx, it.Ref.Name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: Manager})
		return err
	})
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
		entries = append(entries, map[string]any{
			"manager": Manager, "operation": string(metav1.ManagedFieldsOperationApply), "apiVersion": live.GetAPIVersion(),
			"time": now.UTC().Format("2006-01-02T15:04:05Z"), "fieldsType": "FieldsV1", "fieldsV1": fieldsOf(ours),
		})
	}
	metadata := map[string]any{"managedFields": entries}
	if _, there := live.GetAnnotations()[lastApplied]; there {
		metadata["annotations"] = map[string]any{lastApplied: nil}
	}
	return map[string]any{"metadata": metadata}
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
