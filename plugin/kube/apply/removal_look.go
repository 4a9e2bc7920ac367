package apply

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// look gives the objects of one kind that are ours or seem to be, and reports
// whether all of the kind could be looked at.
func look(ctx context.Context, a *Applier, gvk schema.GroupVersionKind, inv Inventory) (items []*Item, listed bool, err error) {
	named := slices.DeleteFunc(slices.Clone(inv.Objects), func(r Ref) bool { return r.GVK() != gvk })
	recorded := func(name string) bool { return slices.ContainsFunc(named, func(r Ref) bool { return r.Name == name }) }
	live, err := a.list(ctx, gvk)
	switch {
	case meta.IsNoMatchError(err):
		for _, ref := range named {
			items = append(items, goneItem(ref))
		}
		return items, true, nil
	case apierrors.IsForbidden(err):
		live, err = getAll(ctx, a, named)
	default:
		listed = true
	}
	if err != nil {
		return nil, false, failure(a, "read", Ref{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Name: "*"}, err)
	}
	for _, obj := range live {
		obj.SetGroupVersionKind(gvk) // the items of a list may lack it
		ref := RefOf(obj)
		if ref.same(a.opts.Set.inventoryRef()) {
			continue
		}
		if it := (&Item{Ref: ref, Live: obj}); a.ours(obj) || recorded(ref.Name) || labelled(a, obj) {
			it.Action, it.Why = removalAction(a, ref, obj)
			items = append(items, it)
		}
	}
	return items, listed, nil
}

// labelled reports whether an object carries the labels that the chart puts on
// it for this namespace.
func labelled(a *Applier, obj *unstructured.Unstructured) bool {
	labels := obj.GetLabels()
	return labels["app.kubernetes.io/part-of"] == "ostoy" && labels["app.kubernetes.io/instance"] == a.opts.Namespace
}

func goneItem(ref Ref) *Item {
	return &Item{Ref: ref, Action: Gone, Why: "the cluster no longer serves its kind"}
}

// getAll reads objects one by one, and leaves out what is not there.
func getAll(ctx context.Context, a *Applier, refs []Ref) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, ref := range refs {
		live, err := a.get(ctx, ref)
		if err != nil {
			return nil, err
		}
		if live != nil {
			all = append(all, live)
		}
	}
	return all, nil
}

// removalAction is Delete for what is ours, and Keep with the reason.
func removalAction(a *Applier, _ Ref, live *unstructured.Unstructured) (Action, string) {
	by, delivered := deliveredBy(live)
	switch {
	case a.ours(live) && delivered && !a.opts.ForceOwner: // since it was looked at
		return Keep, by.name + " manages it, too"
	case a.ours(live):
		return Delete, ""
	}
	return Keep, "it is not ours: managed by " + managers(live)
}

// mayRemove refuses what somebody else would bring back. What is not ours is kept
// anyway.
func mayRemove(a *Applier, it *Item) error {
	if it.Live == nil || a.opts.ForceOwner || !a.ours(it.Live) {
		return nil
	}
	if by, ok := deliveredBy(it.Live); ok {
		return deliveredRemoval(a, it.Ref, by)
	}
	return nil
}

// lookAt decides about one object; one that is not there gets no Action.
func lookAt(ctx context.Context, a *Applier, it *Item) error {
	if err := find(ctx, a, it); err != nil || it.Live == nil {
		return err
	}
	it.Action, it.Why = removalAction(a, it.Ref, it.Live)
	if a.ours(it.Live) && !it.Ref.IsDefinition() {
		return mayRemove(a, it)
	}
	return nil
}
