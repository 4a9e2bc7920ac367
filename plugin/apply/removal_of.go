package apply

import (
	"context"
	"slices"
	"sync"
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
	if err := a.find(ctx, it); err != nil || it.Live == nil {
		return err
	}
	it.Action, it.Why = a.removalAction(it.Ref, it.Live)
	if a.ours(it.Live) && !it.Ref.IsDefinition() {
		return a.mayRemove(it)
	}
	return nil
}
