package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
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
	refused []*Rejection // by rules of the cluster; rest is what else is wrong
	rest    error
	old     Inventory
	mu      sync.Mutex
	live    map[Ref]*unstructured.Unstructured
	base    *unstructured.Unstructured // the inventory as this plan last wrote it, or as it was read
	outcome outcome
}

// Plan decides what happens to each object, sending only reads and
// PATCH ?dryRun=All. objects are in apply order, in the one namespace or, by
// their kind, in none;
// old is what ReadInventory gave, record what to remember.
//
// Foreign objects and fields, and objects on their way out, are a *problem.Error
// of kind Refused, refusals of the API server one of kind Failed; several are told together in
// a *problem.Several. An object that cannot be ours to apply (another namespace,
// a kind the Set has not) is one of kind Usage. A plan that comes with an error of the
// other kinds only says what exists, as far as it was read: it cannot be executed.
func (a *Applier) Plan(ctx context.Context, objects []*unstructured.Unstructured, old Inventory, record Record) (*Plan, error) {
	p := &Plan{applier: a, old: old, base: old.live, live: map[Ref]*unstructured.Unstructured{}}
	for _, obj := range objects {
		item, err := accept(a, obj)
		if err != nil {
			return nil, err
		}
		if has(p.Items, item.Ref) {
			return nil, unusable(a, item.Ref, "it is there twice")
		}
		p.Items = append(p.Items, item)
	}
	slices.SortStableFunc(p.Items, func(x, y *Item) int { return x.Wave - y.Wave })
	for _, ref := range old.Objects {
		if !a.opts.Fresh && a.opts.Set.valid(ref) && !has(p.Items, ref) {
			p.Left = append(p.Left, &Item{Ref: ref})
		}
	}
	err := p.ask(ctx)
	p.settle(record)
	return p, err
}

// ask looks at all objects at the same time.
func (p *Plan) ask(ctx context.Context) error {
	a := p.applier
	var beside sync.WaitGroup
	var taken error
	beside.Go(func() { taken = tryInventory(ctx, p) })
	errs := together(p.All(), func(i int, item *Item) error {
		if i < len(p.Items) {
			return planOne(ctx, a, item)
		}
		return planLeft(ctx, a, item)
	})
	beside.Wait()
	if p.old.Foreign && !a.opts.ForceConflicts {
		taken = foreign(a, a.opts.Set.inventoryRef(), p.old.live, "; the inventory would take its place")
	}
	if a.opts.Look {
		for i, item := range p.All() {
			if errs[i] != nil { // each object has its own
				item.Action, item.Err = Unknown, errs[i]
			}
		}
		p.InventoryErr = taken
		return ctx.Err()
	}
	return sortOut(p, append(errs, taken))
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
func accept(a *Applier, obj *unstructured.Unstructured) (*Item, error) {
	ref := RefOf(obj)
	switch {
	case !a.opts.Set.has(ref):
		return nil, unusable(a, ref, "its kind is none that this tool applies, so it could not be removed again")
	case !validName(ref.Name):
		return nil, unusable(a, ref, "its name is no name of a Kubernetes object")
	case a.opts.Set.Cluster(ref):
		if ns := obj.GetNamespace(); ns != "" {
			return nil, unusable(a, ref, fmt.Sprintf("it says that it is in the namespace %q, and its kind is in none", ns))
		}
	case obj.GetNamespace() != a.opts.Namespace:
		return nil, unusable(a, ref, fmt.Sprintf("it is in the namespace %q and not in %q", obj.GetNamespace(), a.opts.Namespace))
	}
	item := &Item{Ref: ref, object: obj}
	if text := obj.GetAnnotations()[render.WaveAnnotation]; text != "" {
		wave, err := strconv.Atoi(text)
		if err != nil {
			return nil, unusable(a, ref, fmt.Sprintf("its annotation %s is %q and no number", render.WaveAnnotation, text))
		}
		item.Wave = wave
	}
	return item, nil
}

func unusable(a *Applier, ref Ref, why string) error {
	return problem.Input(ref.String()+" cannot be applied",
		why,
		"apply it yourself: "+advice.Pipe(advice.Command(a.opts.Set.Render, "-n", a.opts.Namespace), advice.Command("oc apply --server-side -f -")))
}

func has(items []*Item, ref Ref) bool {
	return slices.ContainsFunc(items, func(it *Item) bool { return it.Ref.same(ref) })
}

// All are the items, and those that the new set leaves out behind them.
func (p *Plan) All() []*Item { return slices.Concat(p.Items, p.Left) }

// Changed reports whether executing the plan would change any object. An
// inventory that alone needs rewriting does not count.
func (p *Plan) Changed() bool {
	return slices.ContainsFunc(p.All(), func(it *Item) bool {
		return it.Action == Create || it.Action == Update || it.Action == Delete
	})
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

// Gone are the objects on record that are neither in the plan's set nor there
// any more.
func (p *Plan) Gone() []Ref {
	return slices.DeleteFunc(slices.Clone(p.old.Objects), func(ref Ref) bool { return has(p.All(), ref) })
}

// Write is one request of a plan, for whoever sends it in this package's stead.
type Write struct {
	Ref  Ref
	Wave int // of an object of the set
	// Record says that it is the inventory, which is in no wave.
	Record bool
	// Object is to be applied, server-side, by the field manager Manager; nil: what
	// Ref names is to be deleted, if it still has the UID. To be read, and no more.
	Object *unstructured.Unstructured
	Force  bool // take over fields of others, as was decided when it was planned
	UID    types.UID
	// Drops are fields that kubectl apply --server-side takes away, and that this
	// package does not: whatever somebody brought by a client-side kubectl apply
	// becomes the new manager's, and goes where Object has it not (Kubernetes,
	// "Server-Side Apply", "Upgrading from client-side apply"). Paths as in FieldChange, each in one line.
	Drops []string
	// Clears is a merge patch to send first, of what people set beside what Object states and
	// with which the API server refuses it; nil for none, and for what is in a list.
	Clears map[string]any
}

// Writes are what executing the plan would send, in its order: the inventory, the
// objects wave after wave, what is to be deleted, and the inventory once more, with what
// was done. Empty if there is nothing to write. It sends
// nothing, and it tells nothing of a plan that was executed. Whoever sends them
// does not tie them to a version of the inventory, as executing the plan does, so
// the write that only marks an inventory as changed is not among them.
func (p *Plan) Writes() []Write {
	var writes []Write
	before, after := p.beforehand().Data(), p.Inventory.Data()
	begins := p.Changed() && !recorded(p, before)
	if begins {
		writes = append(writes, p.recordWrite(before))
	}
	for _, it := range p.Items {
		if it.Action == Create || it.Action == Update {
			force := it.manner.force || it.Action == Create && p.applier.opts.ForceConflicts
			writes = append(writes, Write{Ref: it.Ref, Wave: it.Wave, Object: it.object, Force: force, Drops: it.drops(), Clears: clears(it)})
		}
	}
	for _, it := range p.Left {
		if it.Action == Delete {
			writes = append(writes, Write{Ref: it.Ref, UID: it.Live.GetUID()})
		}
	}
	if begins && !maps.Equal(before, after) || !begins && !recorded(p, after) {
		writes = append(writes, p.recordWrite(after))
	}
	return writes
}

func (p *Plan) recordWrite(data map[string]string) Write {
	return Write{Ref: p.applier.opts.Set.inventoryRef(), Record: true, Object: recordOf(p.applier, data), Force: true}
}

// lastApplied is the annotation in which kubectl's client-side apply keeps what it
// has applied.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// drops are the fields of Write.Drops: what a client-side apply has brought and
// this object has not.
func (it *Item) drops() []string {
	if it.Live == nil || !slices.Contains(managerNames(it.Live), "kubectl-client-side-apply") {
		return nil
	}
	var brought map[string]any
	if json.Unmarshal([]byte(it.Live.GetAnnotations()[lastApplied]), &brought) != nil {
		return nil
	}
	var paths []string
	for _, d := range diff(brought, it.object.Object) {
		if d.after == nil {
			paths = append(paths, plain.Line(pathString(d.path)))
		}
	}
	return paths
}
