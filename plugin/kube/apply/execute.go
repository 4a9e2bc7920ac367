package apply

import (
	"context"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// inFlight is how many objects are changed at the same time.
const inFlight = 8

// ApplyWave applies the i-th of Waves, its objects at the same time. observe
// is called for each object that is done, one call at a time; it may be nil.
// One object that fails does not stop the others of its wave: the error names
// all that failed.
func (p *Plan) ApplyWave(ctx context.Context, i int, observe func(Event)) error {
	return each(ctx, p.Waves()[i], func(it *Item) (err error) {
		live := it.Live
		switch {
		case it.Action == Unchanged:
		case p.halted():
			return nil
		default:
			if live, err = apply(ctx, p.applier, it); err != nil {
				p.unsure(it, err)
				return failure(p.applier, "applied", it.Ref, err)
			}
		}
		p.done(Event{Ref: it.Ref, Action: it.Action, Live: live}, observe)
		return nil
	})
}

// each does the same to every item, inFlight of them at the same time, and begins
// with none after the end of ctx. One that fails does not stop the others.
func each(ctx context.Context, items []*Item, do func(*Item) error) error {
	slots := make(chan struct{}, inFlight)
	return combine(together(items, func(_ int, it *Item) error {
		slots <- struct{}{}
		defer func() { <-slots }()
		if err := ctx.Err(); err != nil {
			return err
		}
		return do(it)
	}))
}

// together does the same to everything at the same time.
func together[T any](all []T, do func(int, T) error) []error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for n, one := range all {
		wg.Go(func() { errs[n] = do(n, one) })
	}
	wg.Wait()
	return errs
}

// apply applies for good. Between plan and apply somebody may have edited
// the object: the rules are then asked again.
func apply(ctx context.Context, a *Applier, it *Item) (*unstructured.Unstructured, error) {
	if it.Carries() {
		return createCarrying(ctx, a, it)
	}
	if it.Action == Create {
		it.manner.force = a.opts.ForceConflicts
	}
	if err := stateAdopted(ctx, a, it); err != nil {
		return nil, err
	}
	if it.manner.adopt {
		if err := handOver(ctx, a, it); err != nil {
			return nil, err
		}
	}
	if it.manner.take {
		if err := takeOver(ctx, a, it); err != nil {
			return nil, err
		}
	}
	if len(it.manner.clashes) > 0 {
		if err := removeClashes(ctx, a, it); err != nil {
			return nil, err
		}
	}
	live, err := a.patch(ctx, it, false)
	list := conflictsOf(err)
	if len(list) == 0 {
		return live, err
	}
	if it.Action == Create && !sharedNow(ctx, a, it) { // somebody made it meanwhile, and it is theirs
		return nil, conflicted(a, it, list, err)
	}
	if err := mayForce(a, it, list, err); err != nil {
		return nil, err
	}
	it.manner.force = true
	return a.patch(ctx, it, false)
}

// sharedNow reports whether an object that somebody made meanwhile is shared.
func sharedNow(ctx context.Context, a *Applier, it *Item) bool {
	if a.opts.Shared == nil {
		return false
	}
	live, err := a.get(ctx, it.Ref)
	if err != nil || live == nil || !a.opts.Shared(live) {
		return false
	}
	it.Live = live
	return true
}

// done remembers the object and tells of it.
func (p *Plan) done(e Event, observe func(Event)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live[e.Ref] = e.Live
	if observe != nil {
		observe(e)
	}
}

// Prune deletes the items of Left that are to be deleted, and records what the run has
// done: the objects that there are, and what was asked for. It writes only what differs.
// An object that turned out to be kept after all has its Action changed in Left.
func (p *Plan) Prune(ctx context.Context, observe func(Event)) error {
	if err := p.DeleteLeft(ctx, observe); err != nil || recorded(p, p.Inventory.Data()) {
		return err
	}
	return write(ctx, p, p.Inventory, markDone)
}

// DeleteLeft is Prune for a plan that keeps no inventory.
func (p *Plan) DeleteLeft(ctx context.Context, observe func(Event)) error {
	return p.DeleteFirst(ctx, func(*Item) bool { return true }, observe)
}

// DeleteFirst deletes those items of Left that must not be there while the plan is
// carried out; the inventory still lists them. Prune leaves them out.
func (p *Plan) DeleteFirst(ctx context.Context, which func(*Item) bool, observe func(Event)) error {
	return combine(together(p.Left, func(_ int, it *Item) error {
		if it.Action != Delete || it.deleted || !which(it) {
			return nil
		}
		if err := remove(ctx, p.applier, it, leftAction); err != nil {
			p.unsure(it, err)
			return failure(p.applier, "deleted", it.Ref, err)
		}
		if it.deleted = it.Action == Delete; it.deleted {
			p.done(Event{Ref: it.Ref, Action: Delete}, observe)
		}
		return nil
	}))
}

// remove deletes the very object that was looked at: with its uid and its
// resourceVersion. If it changed meanwhile it is looked at again, because the
// change may be that somebody else took it; decide then says what becomes of it.
// Another object of its name that is ours is one that another run has created.
func remove(ctx context.Context, a *Applier, it *Item, decide func(*Applier, Ref, *unstructured.Unstructured) (Action, string)) error {
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
		if it.Action, it.Why = decide(a, it.Ref, live); it.Action != Delete {
			return nil
		}
		return err // a conflict: tried again, with the object as it is now
	})
}

func deleteOptions(live *unstructured.Unstructured) metav1.DeleteOptions {
	uid, version := live.GetUID(), live.GetResourceVersion()
	background := metav1.DeletePropagationBackground
	return metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version}, PropagationPolicy: &background}
}
