package apply

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// inFlight is how many objects are changed at the same time.
const inFlight = 8

// ApplyWave applies the i-th of Waves, its objects at the same time. observe
// is called for each object that is done, one call at a time; it may be nil.
// One object that fails does not stop the others of its wave: the error names
// all that failed.
func (p *Plan) ApplyWave(ctx context.Context, i int, observe func(Event)) error {
	return each(ctx, p.Waves()[i], func(it *Item) error { return p.applyOne(ctx, it, observe) })
}

// each does the same to every item, inFlight of them at the same time, and begins
// with none after the end of ctx. One that fails does not stop the others.
func each(ctx context.Context, items []*Item, do func(*Item) error) error {
	errs := make([]error, len(items))
	slots := make(chan struct{}, inFlight)
	var wg sync.WaitGroup
	for n, it := range items {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if errs[n] = ctx.Err(); errs[n] == nil {
				errs[n] = do(it)
			}
		})
	}
	wg.Wait()
	return combine(errs)
}

func (p *Plan) applyOne(ctx context.Context, it *Item, observe func(Event)) error {
	start := p.applier.opts.Now()
	live := it.Live
	if it.Action != Unchanged {
		var err error
		if live, err = p.applier.apply(ctx, it); err != nil {
			return p.applier.failure("applied", it.Ref, err)
		}
	}
	p.done(Event{Ref: it.Ref, Action: it.Action, Took: p.applier.since(start), Live: live}, observe)
	return nil
}

// apply applies for good. Between plan and apply somebody may have edited
// the object: the rules are then asked again.
func (a *Applier) apply(ctx context.Context, it *Item) (*unstructured.Unstructured, error) {
	if it.Action == Create {
		it.force = a.opts.ForceConflicts
	}
	if it.before.adopt {
		if err := a.handOver(ctx, it); err != nil {
			return nil, err
		}
	}
	if it.before.take {
		if err := a.takeOver(ctx, it); err != nil {
			return nil, err
		}
	}
	live, err := a.patch(ctx, it, false)
	list := conflictsOf(err)
	if len(list) == 0 {
		return live, err
	}
	if it.Action == Create && !a.sharedNow(ctx, it) { // somebody made it meanwhile, and it is theirs
		return nil, a.conflicted(it.Ref, list, err)
	}
	if err := a.mayForce(it, list, err); err != nil {
		return nil, err
	}
	it.force = true
	return a.patch(ctx, it, false)
}

// sharedNow reports whether an object that somebody made meanwhile is shared.
func (a *Applier) sharedNow(ctx context.Context, it *Item) bool {
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
