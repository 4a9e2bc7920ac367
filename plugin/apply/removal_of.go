package apply

import (
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
)

// PlanRemovalOf looks at exactly these objects, all at the same time, and says
// what becomes of each: it lists nothing, so that it needs no right to. What is
// ours, or Options.Shared, is in Objects, data of it in Bucket, Volumes and
// Definitions; the rest is in Kept, with the reason, and in Gone. One that is not
// there is left out, and so is the inventory: RemoveInventory is for that.
//
// Objects of ours that Argo CD, Flux or Helm bring as well are a *problem.Error
// of kind Refused, unless Options.ForceOwner; a definition of that sort is Kept,
// because it need not go. A reference that the Set cannot have is one of kind
// Usage.
func (a *Applier) PlanRemovalOf(ctx context.Context, refs []Ref, inv Inventory) (*Removal, error) {
	var items []*Item
	for _, ref := range refs {
		if !a.opts.Set.valid(ref) {
			return nil, a.unusable(ref, "it is none of those that this tool deletes")
		}
		twice := slices.ContainsFunc(items, func(it *Item) bool { return it.Ref.same(ref) })
		if !twice && !ref.same(a.opts.Set.inventoryRef()) {
			items = append(items, &Item{Ref: ref})
		}
	}
	errs := make([]error, len(items))
	var wg sync.WaitGroup
	for n, it := range items {
		wg.Go(func() { errs[n] = a.lookAt(ctx, it) })
	}
	wg.Wait()
	if err := combine(errs); err != nil {
		return nil, err
	}
	r := a.removal(inv)
	for _, it := range items {
		if it.Action != "" {
			r.add(it)
		}
	}
	return r, nil
}

// lookAt decides about one object; one that is not there gets no Action.
func (a *Applier) lookAt(ctx context.Context, it *Item) error {
	live, err := a.get(ctx, it.Ref)
	switch {
	case meta.IsNoMatchError(err):
		*it = *goneItem(it.Ref)
		return nil
	case err != nil:
		return a.failure("read", it.Ref, err)
	case live == nil:
		return nil
	}
	it.Live = live
	it.Action, it.Why = a.removalAction(it.Ref, live)
	if a.ours(live) && !it.Ref.IsDefinition() {
		return a.mayRemove(it)
	}
	return nil
}
