package apply

import (
	"context"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Prune deletes the items of Left that are to be deleted and shrinks the
// inventory to what is there. It writes only what differs. An object that
// turned out to be kept after all has its Action changed in Left.
func (p *Plan) Prune(ctx context.Context, observe func(Event)) error {
	if err := p.DeleteLeft(ctx, observe); err != nil {
		return err
	}
	return p.record(ctx, p.Inventory)
}

// DeleteLeft is Prune for a plan that keeps no inventory.
func (p *Plan) DeleteLeft(ctx context.Context, observe func(Event)) error {
	return p.DeleteFirst(ctx, func(*Item) bool { return true }, observe)
}

// DeleteFirst deletes those items of Left that must not be there while the plan is
// carried out; the inventory still lists them. Prune leaves them out.
func (p *Plan) DeleteFirst(ctx context.Context, which func(*Item) bool, observe func(Event)) error {
	errs := make([]error, len(p.Left))
	var wg sync.WaitGroup
	for i, it := range p.Left {
		if it.Action != Delete || it.deleted || !which(it) {
			continue
		}
		wg.Go(func() { errs[i] = p.pruneOne(ctx, it, observe) })
	}
	wg.Wait()
	return combine(errs)
}

func (p *Plan) pruneOne(ctx context.Context, it *Item, observe func(Event)) error {
	start := p.applier.opts.Now()
	if err := p.applier.remove(ctx, it, p.applier.leftAction); err != nil {
		return p.applier.failure("deleted", it.Ref, err)
	}
	if it.deleted = it.Action == Delete; it.deleted {
		p.done(Event{Ref: it.Ref, Action: Delete, Took: p.applier.since(start)}, observe)
	}
	return nil
}

// remove deletes the very object that was looked at: with its uid and its
// resourceVersion. If it changed meanwhile it is looked at again, because the
// change may be that somebody else took it; decide then says what becomes of it.
// Another object of its name that is ours is one that another run has created.
func (a *Applier) remove(ctx context.Context, it *Item, decide func(Ref, *unstructured.Unstructured) (Action, string)) error {
	client, err := a.client(ctx, it.Ref.GVK())
	if err != nil {
		return err
	}
	return a.retry(ctx, func() error {
		err := client.Delete(ctx, it.Ref.Name, deleteOptions(it.Live))
		if err == nil || apierrors.IsNotFound(err) {
			return nil
		}
		if !apierrors.IsConflict(err) {
			return err
		}
		live, getErr := a.get(ctx, it.Ref)
		if getErr != nil || live == nil {
			return getErr
		}
		if Ours(live) && it.Live.GetUID() != live.GetUID() {
			return a.CameBack(it.Ref, live)
		}
		it.Live = live
		if it.Action, it.Why = decide(it.Ref, live); it.Action != Delete {
			return nil
		}
		return err // a conflict: tried again, with the object as it is now
	})
}

func deleteOptions(live *unstructured.Unstructured) metav1.DeleteOptions {
	uid, version := live.GetUID(), live.GetResourceVersion()
	background := metav1.DeletePropagationBackground
	return metav1.DeleteOptions{
		Preconditions:     &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
		PropagationPolicy: &background,
	}
}

// WriteInventory records the objects that are there and those that are about
// to be, before the first of them is made, so that a run that is killed
// leaves nothing unknown behind. It writes only what differs. If the run changes
// something although the inventory stays the same, other runs are taken into account,
// too: changed objects are marked in it, and for what is not in the plan, the
// role, as changes says, the API server is asked whether it is still the same.
func (p *Plan) WriteInventory(ctx context.Context, changes bool) error {
	inv := p.beforehand()
	switch {
	case !p.recorded(inv.Data()):
		return p.write(ctx, inv, markNone)
	case p.Changed():
		return p.write(ctx, inv, markNew)
	case changes:
		return p.write(ctx, inv, markKeep)
	}
	return nil
}

// beforehand is the inventory while the plan is carried out: what it lists at the
// end, and what is still to be removed.
func (p *Plan) beforehand() Inventory {
	union := p.Inventory
	union.Objects = sortRefs(slices.Concat(p.Inventory.Objects, p.old.Objects))
	return union
}
