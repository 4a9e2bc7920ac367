package apply

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Plan is what would be done. Its methods do it; they are to be called in
// this order: WriteInventory, ApplyWave for each wave, Prune.
type Plan struct {
	// Items are the objects in apply order.
	Items []*Item
	// Left are the objects of the inventory that the new set leaves out:
	// Delete, Keep or Gone.
	Left []*Item
	// Inventory is what will be on record at the end.
	Inventory Inventory
	// InventoryErr is for Options.Look: why install would refuse to write it, in
	// three parts; nil if it would not.
	InventoryErr error

	applier *Applier
	old     Inventory
	mu      sync.Mutex
	live    map[Ref]*unstructured.Unstructured
	base    *unstructured.Unstructured // the inventory as this plan last wrote it, or as it was read
}

// Plan decides what happens to each object, sending only reads and
// PATCH ?dryRun=All. objects are in apply order, in the one namespace or, by
// their kind, in none;
// old is what ReadInventory gave, record what to remember.
//
// Foreign objects and fields, and objects on their way out, are a *problem.Error
// of kind Refused, refusals of the API server one of kind Failed; several are told together in
// a *problem.Several. An object that cannot be ours to apply (another namespace,
// a kind the Set has not) is one of kind Usage.
func (a *Applier) Plan(ctx context.Context, objects []*unstructured.Unstructured, old Inventory, record Record) (*Plan, error) {
	p := &Plan{applier: a, old: old, base: old.live, live: map[Ref]*unstructured.Unstructured{}}
	for _, obj := range objects {
		item, err := a.accept(obj)
		if err != nil {
			return nil, err
		}
		if p.has(item.Ref) {
			return nil, a.unusable(item.Ref, "it is there twice")
		}
		p.Items = append(p.Items, item)
	}
	slices.SortStableFunc(p.Items, func(x, y *Item) int { return x.Wave - y.Wave })
	for _, ref := range old.Objects {
		if !a.opts.Fresh && a.opts.Set.valid(ref) && !p.has(ref) {
			p.Left = append(p.Left, &Item{Ref: ref})
		}
	}
	if err := p.ask(ctx); err != nil {
		return nil, err
	}
	p.settle(record)
	return p, nil
}

// ask looks at all objects at the same time.
func (p *Plan) ask(ctx context.Context) error {
	a := p.applier
	errs := make([]error, len(p.Items)+len(p.Left)+1)
	var wg sync.WaitGroup
	for i, item := range p.Items {
		wg.Go(func() { errs[i] = a.planOne(ctx, item) })
	}
	for i, item := range p.Left {
		wg.Go(func() { errs[len(p.Items)+i] = a.planLeft(ctx, item) })
	}
	wg.Wait()
	var taken error
	if p.old.Foreign && !a.opts.ForceConflicts {
		taken = a.foreign(a.opts.Set.inventoryRef(), p.old.live, "; the inventory would take its place")
	}
	if a.opts.Look {
		p.note(errs)
		p.InventoryErr = taken
		return ctx.Err()
	}
	errs[len(errs)-1] = taken
	return combine(errs)
}

// note leaves each object its own error.
func (p *Plan) note(errs []error) {
	for i, item := range p.All() {
		if errs[i] != nil {
			item.Action, item.Err = Unknown, errs[i]
		}
	}
}

// settle derives what will be on record, and drops from Left what is not
// there any more.
func (p *Plan) settle(record Record) {
	p.Left = slices.DeleteFunc(p.Left, func(it *Item) bool { return it.Action == "" })
	p.Inventory = Inventory{Record: p.old.with(record), Found: true}
	for _, it := range p.Items {
		p.Inventory.Objects = append(p.Inventory.Objects, it.Ref)
		p.live[it.Ref] = it.Live
	}
	for _, it := range p.Left {
		if it.Action == Keep && it.Live != nil && p.applier.ours(it.Live) {
			p.Inventory.Objects = append(p.Inventory.Objects, it.Ref)
		}
	}
	p.Inventory.Objects = sortRefs(p.Inventory.Objects)
}

// accept checks that an object may be applied by us at all.
func (a *Applier) accept(obj *unstructured.Unstructured) (*Item, error) {
	ref := RefOf(obj)
	switch {
	case !a.opts.Set.has(ref):
		return nil, a.unusable(ref, "its kind is none that this tool applies, so it could not be removed again")
	case !validName(ref.Name):
		return nil, a.unusable(ref, "its name is no name of a Kubernetes object")
	case a.opts.Set.Cluster(ref):
		if ns := obj.GetNamespace(); ns != "" {
			return nil, a.unusable(ref, fmt.Sprintf("it says that it is in the namespace %q, and its kind is in none", ns))
		}
	case obj.GetNamespace() != a.opts.Namespace:
		return nil, a.unusable(ref, fmt.Sprintf("it is in the namespace %q and not in %q", obj.GetNamespace(), a.opts.Namespace))
	}
	item := &Item{Ref: ref, object: obj}
	if text := obj.GetAnnotations()[render.WaveAnnotation]; text != "" {
		wave, err := strconv.Atoi(text)
		if err != nil {
			return nil, a.unusable(ref, fmt.Sprintf("its annotation %s is %q and no number", render.WaveAnnotation, text))
		}
		item.Wave = wave
	}
	return item, nil
}

func (a *Applier) unusable(ref Ref, why string) error {
	return &problem.Error{
		Kind: problem.Usage,
		What: ref.String() + " cannot be applied",
		Why:  why,
		Next: "apply it yourself: " + advice.Pipe(advice.Command(a.opts.Set.Render), advice.Command("oc apply --server-side -f -")),
	}
}

func (p *Plan) has(ref Ref) bool {
	return slices.ContainsFunc(p.Items, func(it *Item) bool { return it.Ref.same(ref) })
}

// All are the items, and those that the new set leaves out behind them.
func (p *Plan) All() []*Item { return slices.Concat(p.Items, p.Left) }

// Changed reports whether executing the plan would change any object. An
// inventory that alone needs rewriting does not count.
func (p *Plan) Changed() bool {
	changes := func(it *Item) bool {
		return it.Action == Create || it.Action == Update || it.Action == Delete
	}
	return slices.ContainsFunc(p.All(), changes)
}

// Waves are the items by wave, in order.
func (p *Plan) Waves() [][]*Item {
	var waves [][]*Item
	for i, it := range p.Items {
		if i == 0 || it.Wave != p.Items[i-1].Wave {
			waves = append(waves, nil)
		}
		waves[len(waves)-1] = append(waves[len(waves)-1], it)
	}
	return waves
}

// Live are the objects as they are now, in apply order: as the server
// answered where they were applied, as they were read where not.
func (p *Plan) Live() []*unstructured.Unstructured {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []*unstructured.Unstructured
	for _, it := range p.Items {
		if obj := p.live[it.Ref]; obj != nil {
			out = append(out, obj)
		}
	}
	return out
}

// Wrote reports whether this run creates or updates the object.
func (p *Plan) Wrote(kind, name string) bool {
	return slices.ContainsFunc(p.Items, func(it *Item) bool {
		return it.Ref.Kind == kind && it.Ref.Name == name && it.Action != Unchanged
	})
}

// since is the time passed by the applier's clock.
func (a *Applier) since(start time.Time) time.Duration { return a.opts.Now().Sub(start) }
