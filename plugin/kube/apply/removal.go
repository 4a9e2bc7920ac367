package apply

import (
	"context"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
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
	errs := together(all, func(n int, kind Kind) (err error) {
		found[n], listed[n], err = look(ctx, a, kind.GroupVersionKind, inv)
		return err
	})
	if err := combine(errs); err != nil {
		return nil, err
	}
	r := removal(a, inv)
	for n, kind := range all {
		if !listed[n] {
			r.Unlisted = append(r.Unlisted, kind.GroupVersionKind)
		}
	}
	for _, it := range withoutOthers(a, slices.Concat(found...)) {
		if err := mayRemove(a, it); err != nil {
			errs = append(errs, err)
		}
		r.add(it)
	}
	return r, combine(errs)
}

func removal(a *Applier, inv Inventory) *Removal {
	return &Removal{Inventory: inv, InventoryOurs: inv.live != nil && a.ours(inv.live)}
}

// withoutOthers leaves out the inventories of other sets and what they list.
func withoutOthers(a *Applier, items []*Item) []*Item {
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

// Remove deletes items that PlanRemoval or PlanRemovalOf found, all at the same time, each with
// its uid and resourceVersion; one that was changed meanwhile is looked at again,
// and kept if it is not ours any more. observe is as in Plan.ApplyWave; it is also told of
// an object whose deletion got no final answer, as Unknown.
func (a *Applier) Remove(ctx context.Context, items []*Item, observe func(Event)) error {
	tell := oneByOne(observe)
	return combine(together(items, func(_ int, it *Item) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := remove(ctx, a, it, removalAction); err != nil {
			if !Refused(err) {
				tell(Event{Ref: it.Ref, Action: Unknown})
			}
			return failure(a, "deleted", it.Ref, err)
		}
		tell(Event{Ref: it.Ref, Action: it.Action})
		return nil
	}))
}

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
			return nil, unusable(a, ref, "it is none of those that this tool deletes")
		}
		if !has(items, ref) && !ref.same(a.opts.Set.inventoryRef()) {
			items = append(items, &Item{Ref: ref})
		}
	}
	if err := combine(together(items, func(_ int, it *Item) error { return lookAt(ctx, a, it) })); err != nil {
		return nil, err
	}
	r := removal(a, inv)
	for _, it := range items {
		if it.Action != "" {
			r.add(it)
		}
	}
	return r, nil
}

// Release makes items of ours, which PlanRemoval found, no longer ours, all at the
// same time: our entries in their managedFields go, and nothing else of them
// changes, so that no generation moves and no pod restarts. Applying "nothing"
// would not do: the API server deletes what an applier ceases to state and nobody
// else owns. What is not ours any more is left alone, so that it can be repeated.
// observe is as in Plan.ApplyWave.
func (a *Applier) Release(ctx context.Context, items []*Item, observe func(Event)) error {
	tell := oneByOne(observe)
	return each(ctx, items, func(it *Item) error {
		live, err := a.Change(ctx, it.Ref, func(live *unstructured.Unstructured) map[string]any {
			return withoutUs(live, metav1.NewTime(a.opts.Now()))
		})
		switch {
		case err != nil:
			return err
		case live != nil && Ours(live):
			return problem.Fail(it.Ref.String()+" could not be released",
				"the API server took the change and still names us among its managers: another install may be running",
				"run the same command again; "+oc(a, it.Ref, "oc get", []string{it.Ref.Resource()}, "--show-managed-fields", "-o", "yaml")+" shows who is named")
		}
		tell(Event{Ref: it.Ref, Action: Released, Live: live})
		return nil
	})
}

// oneByOne tells an observer, which may be nil, of one event at a time.
func oneByOne(observe func(Event)) func(Event) {
	var mu sync.Mutex
	return func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		if observe != nil {
			observe(e)
		}
	}
}

// MarkRemoval says in the inventory that what it lists is about to be deleted. It is
// for the time before the first deletion: an install that has written the inventory
// since it was read is noticed here.
func (a *Applier) MarkRemoval(ctx context.Context, r *Removal) error {
	return removing(ctx, a, r, "applied", func(client dynamic.ResourceInterface, was *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		object := recordOf(a, ourKeys(dataOf(was)))
		// With the labels and annotations that it has: a rule of the cluster can want some.
		render.Extra{Labels: was.GetLabels(), Annotations: was.GetAnnotations()}.AddTo(object)
		annotate(object, removingAnnotation, was.GetResourceVersion())
		return client.Apply(ctx, was.GetName(), tied(object, was), metav1.ApplyOptions{FieldManager: Manager, Force: true})
	})
}

// RemoveInventory deletes the inventory if it is ours and no install has written it
// since it was read. One that does not exist any more is no error.
func (a *Applier) RemoveInventory(ctx context.Context, r *Removal) error {
	return removing(ctx, a, r, "deleted", func(client dynamic.ResourceInterface, was *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		return nil, client.Delete(ctx, was.GetName(), deleteOptions(was))
	})
}

// removing does one thing to the version of our inventory that a removal knows, and
// then knows the one that it gets back.
func removing(ctx context.Context, a *Applier, r *Removal, verb string,
	do func(client dynamic.ResourceInterface, was *unstructured.Unstructured) (*unstructured.Unstructured, error),
) error {
	if !r.InventoryOurs || r.Inventory.live == nil {
		return nil
	}
	ref := a.opts.Set.inventoryRef()
	client, err := a.client(ctx, ref.GVK())
	if err != nil {
		return failure(a, verb, ref, err)
	}
	err = a.retry(ctx, func() error {
		was := r.Inventory.live
		out, err := do(client, was)
		if err == nil || apierrors.IsNotFound(err) { // then there is none
			r.Inventory.live = out
			return nil
		}
		if !apierrors.IsConflict(err) {
			return err
		}
		live, getErr := a.get(ctx, ref)
		if getErr != nil {
			return getErr
		}
		if live != nil && !notInstalled(was, live) {
			return lostRace(a, live)
		}
		if r.Inventory.live = live; live == nil {
			return nil
		}
		return err // a conflict: tried again, with the inventory as it is now
	})
	return failure(a, verb, ref, err)
}

// CameBack is the error of a run that deleted an object and finds another one of
// the same name.
func (a *Applier) CameBack(ref Ref, live *unstructured.Unstructured) error {
	why := otherRun + " created it"
	if !Ours(live) {
		why = "it was created by something else; managed by " + managers(live)
	}
	return stopped(a, inWords(a, ref)+" was created again while this run was removing it", why)
}
