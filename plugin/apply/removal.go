package apply

import (
	"context"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
)

// Removal is what there is that is ours, and what only seems so.
type Removal struct {
	// Objects are ours, but for data and the inventory.
	Objects []*Item
	// Bucket is our Bucket object, nil if there is none; Volumes are our claims.
	// Both are data: whether they go is the caller's to say.
	Bucket  *Item
	Volumes []*Item
	// Definitions are our CustomResourceDefinitions. With one go all objects of its
	// kind, so they count as data, too.
	Definitions []*Item
	// Kept look like ours, by the inventory or by their labels, and are not.
	Kept []*Item
	// Gone are of a kind that the cluster no longer serves.
	Gone []*Item
	// Unlisted are the kinds that this user may not list: of each, only the objects
	// that the inventory names were looked at.
	Unlisted []schema.GroupVersionKind
	// Inventory is what ReadInventory gave; InventoryOurs says that it may go.
	Inventory     Inventory
	InventoryOurs bool
}

// PlanRemoval looks for everything that is ours: it lists each kind of the Set,
// all at the same time, and goes by the field
// manager, so that a missing, partial or edited inventory matters little: it
// only tells of what is there no more, or not ours. A kind that may not be
// listed is asked for by the inventory's names. What another set of this tool has
// on record in the same namespace is left out: it is ours, and not this set's.
//
// Objects of ours that Argo CD, Flux or Helm bring as well are a *problem.Error
// of kind Refused, unless Options.ForceOwner.
func (a *Applier) PlanRemoval(ctx context.Context, inv Inventory) (*Removal, error) {
	all := a.opts.Set.Kinds
	found := make([][]*Item, len(all))
	listed := make([]bool, len(all))
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for n, kind := range all {
		wg.Go(func() { found[n], listed[n], errs[n] = a.look(ctx, kind.GroupVersionKind, inv) })
	}
	wg.Wait()
	if err := combine(errs); err != nil {
		return nil, err
	}
	r := a.removal(inv)
	for n, kind := range all {
		if !listed[n] {
			r.Unlisted = append(r.Unlisted, kind.GroupVersionKind)
		}
	}
	for _, it := range a.withoutOthers(slices.Concat(found...)) {
		if err := a.mayRemove(it); err != nil {
			errs = append(errs, err)
		}
		r.add(it)
	}
	return r, combine(errs)
}

func (a *Applier) removal(inv Inventory) *Removal {
	return &Removal{Inventory: inv, InventoryOurs: inv.live != nil && a.ours(inv.live)}
}

// withoutOthers leaves out the inventories of other sets and what they list.
func (a *Applier) withoutOthers(items []*Item) []*Item {
	var theirs []Ref
	for _, set := range a.opts.Set.others() {
		for _, it := range items {
			if !it.Ref.same(set.inventoryRef()) {
				continue
			}
			theirs = append(theirs, it.Ref)
			if inv := set.InventoryOf(it.Live); !inv.Foreign {
				theirs = append(theirs, inv.Objects...)
			}
		}
	}
	return slices.DeleteFunc(items, func(it *Item) bool { return slices.ContainsFunc(theirs, it.Ref.same) })
}

func (r *Removal) add(it *Item) {
	switch {
	case it.Action == Gone:
		r.Gone = append(r.Gone, it)
	case it.Action == Keep:
		r.Kept = append(r.Kept, it)
	case it.Ref.IsBucket():
		r.Bucket = it
	case it.Ref.IsVolume():
		r.Volumes = append(r.Volumes, it)
	case it.Ref.IsDefinition():
		r.Definitions = append(r.Definitions, it)
	default:
		r.Objects = append(r.Objects, it)
	}
}

// look gives the objects of one kind that are ours or seem to be, and reports
// whether all of the kind could be looked at.
func (a *Applier) look(ctx context.Context, gvk schema.GroupVersionKind, inv Inventory) (items []*Item, listed bool, err error) {
	recorded := func(name string) bool {
		return slices.ContainsFunc(inv.Objects, func(r Ref) bool { return r.GVK() == gvk && r.Name == name })
	}
	live, err := a.list(ctx, gvk)
	switch {
	case meta.IsNoMatchError(err):
		return goneOf(gvk, inv), true, nil
	case apierrors.IsForbidden(err):
		live, err = a.recorded(ctx, gvk, inv)
	default:
		listed = true
	}
	if err != nil {
		return nil, false, a.failure("read", Ref{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Name: "*"}, err)
	}
	for _, obj := range live {
		obj.SetGroupVersionKind(gvk) // the items of a list may lack it
		ref := RefOf(obj)
		if ref.same(a.opts.Set.inventoryRef()) {
			continue
		}
		if it := (&Item{Ref: ref, Live: obj}); a.ours(obj) || recorded(ref.Name) || a.labelled(obj) {
			it.Action, it.Why = a.removalAction(ref, obj)
			items = append(items, it)
		}
	}
	return items, listed, nil
}

// labelled reports whether an object carries the labels that the chart puts on
// it for this namespace.
func (a *Applier) labelled(obj *unstructured.Unstructured) bool {
	labels := obj.GetLabels()
	return labels["app.kubernetes.io/part-of"] == "ostoy" && labels["app.kubernetes.io/instance"] == a.opts.Namespace
}

func goneOf(gvk schema.GroupVersionKind, inv Inventory) []*Item {
	var items []*Item
	for _, ref := range inv.Objects {
		if ref.GVK() == gvk {
			items = append(items, goneItem(ref))
		}
	}
	return items
}

func goneItem(ref Ref) *Item {
	return &Item{Ref: ref, Action: Gone, Why: "the cluster no longer serves its kind"}
}

// list reads all objects of a kind.
func (a *Applier) list(ctx context.Context, gvk schema.GroupVersionKind) ([]*unstructured.Unstructured, error) {
	client, err := a.client(ctx, gvk)
	if err != nil {
		return nil, err
	}
	all, err := cluster.ListAll(ctx, client, metav1.ListOptions{})
	if apierrors.IsNotFound(err) { // the CRD went away since discovery
		return nil, &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
	}
	return all, err
}

// recorded reads the objects of a kind that the inventory names.
func (a *Applier) recorded(ctx context.Context, gvk schema.GroupVersionKind, inv Inventory) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, ref := range inv.Objects {
		if ref.GVK() != gvk {
			continue
		}
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
func (a *Applier) removalAction(_ Ref, live *unstructured.Unstructured) (Action, string) {
	by, delivered := deliveredBy(live)
	switch {
	case a.ours(live) && delivered && !a.opts.ForceOwner: // since it was looked at
		return Keep, by.name + " manages it, too"
	case a.ours(live):
		return Delete, ""
	}
	who := strings.Join(managerNames(live), ", ")
	if who == "" {
		who = "nobody on record"
	}
	return Keep, "it is not ours: managed by " + who
}

// mayRemove refuses what somebody else would bring back. What is not ours is kept
// anyway.
func (a *Applier) mayRemove(it *Item) error {
	if it.Live == nil || a.opts.ForceOwner || !a.ours(it.Live) {
		return nil
	}
	by, ok := deliveredBy(it.Live)
	if !ok {
		return nil
	}
	return a.deliveredRemoval(it.Ref, by)
}

// Remove deletes items that PlanRemoval or PlanRemovalOf found, all at the same time, each with
// its uid and resourceVersion; one that was changed meanwhile is looked at again,
// and kept if it is not ours any more. observe is as in Plan.ApplyWave.
func (a *Applier) Remove(ctx context.Context, items []*Item, observe func(Event)) error {
	p := &Plan{applier: a, live: map[Ref]*unstructured.Unstructured{}}
	errs := make([]error, len(items))
	var wg sync.WaitGroup
	for n, it := range items {
		wg.Go(func() {
			start := a.opts.Now()
			if err := a.remove(ctx, it, a.removalAction); err != nil {
				errs[n] = a.failure("deleted", it.Ref, err)
				return
			}
			p.done(Event{Ref: it.Ref, Action: it.Action, Took: a.since(start)}, observe)
		})
	}
	wg.Wait()
	return combine(errs)
}
