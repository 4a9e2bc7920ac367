package apply

import (
	"cmp"
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// planOne decides what happens to one object of the new set.
func planOne(ctx context.Context, a *Applier, it *Item) error {
	create := func() error { it.Action, it.Would = Create, it.object; return nil }
	if a.opts.Fresh && !a.opts.Set.Cluster(it.Ref) {
		return create()
	}
	live, err := a.get(ctx, it.Ref)
	switch it.Live = live; {
	case meta.IsNoMatchError(err) && slices.Contains(a.opts.Coming, it.Ref.GVK().GroupKind()):
		return create()
	case err != nil:
		return failure(a, "read", it.Ref, err)
	case live == nil:
		_ = create()
		return tryCreate(ctx, a, it)
	}
	keepAdopted(it)
	refused := mayApply(a, it.Ref, live)
	if refused != nil && !a.opts.Look {
		return refused
	}
	if err = foretell(ctx, a, it); err == nil {
		adopting(a, it)
		taking(a, it)
	}
	return cmp.Or(refused, err)
}

// foretell finds out what an apply would make of an object that is there, and
// decides by that.
func foretell(ctx context.Context, a *Applier, it *Item) (err error) {
	if a.opts.How == Guess {
		it.Would = imagine(it.Live, it.object)
		it.Changes = changed(it.Live, it.Would, func([]step) bool { return true })
		return judge(a, it)
	}
	if it.Would, err = try(ctx, a, it); err != nil {
		return err
	}
	if it.Would == nil { // a dry run is not possible
		it.Action, it.Would = Update, imagine(it.Live, it.object)
		return nil
	}
	it.Changes, it.Owned = differences(it)
	return judge(a, it)
}

// mayApply refuses what needs no dry run to be refused.
func mayApply(a *Applier, ref Ref, live *unstructured.Unstructured) error {
	if live.GetDeletionTimestamp() != nil {
		why := "it is on its way out and would take what is applied now with it"
		if f := live.GetFinalizers(); len(f) > 0 {
			why += "; it waits for " + strings.Join(f, ", ")
		}
		return forAll(alike(a, problem.Refuse(inWords(a, ref)+" is being deleted", why, ""), ref, "are being deleted"), func(words []string) string {
			return "wait until it is deleted (" + oc(a, ref, "oc wait --for=delete", words, "--timeout=5m") + "), then run the same command again"
		})
	}
	if by := DeliveredBy(live); by != "" && !a.opts.ForceOwner {
		return managedBy(a, ref, live, by)
	}
	return nil
}

// tryCreate asks whether the server would take a new object, where that is
// wanted beforehand.
func tryCreate(ctx context.Context, a *Applier, it *Item) error {
	if a.opts.How != TryCreates {
		return nil
	}
	would, err := a.patch(ctx, it, true)
	if noDryRuns(err) {
		it.manner.blind = true
		return nil
	}
	if err == nil {
		it.Would = would
	}
	return failure(a, "planned", it.Ref, err)
}

// noDryRuns recognises the refusal of a dry run by a webhook that does not
// know them.
func noDryRuns(err error) bool {
	return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run")
}

// try asks what an apply would make of the object, forcing only what may be
// forced. It gives nil where a webhook of the cluster forbids dry runs.
func try(ctx context.Context, a *Applier, it *Item) (*unstructured.Unstructured, error) {
	it.manner.force = a.opts.ForceConflicts
	would, err := a.patch(ctx, it, true)
	if list := conflictsOf(err); len(list) > 0 {
		if err := mayForce(a, it, list, err); err != nil {
			return nil, err
		}
		it.manner.force = true
		would, err = a.patch(ctx, it, true)
	}
	if it.manner.clashes = clashes(a, it, err); len(it.manner.clashes) > 0 {
		would, err = tryCleared(ctx, a, it)
	}
	if err == nil {
		return would, nil
	}
	if noDryRuns(err) && a.ours(it.Live) {
		it.manner.blind = true
		it.Why = "what changes is not known beforehand: a webhook of this cluster does not support dry runs"
		return nil, nil
	}
	return nil, failure(a, "planned", it.Ref, err)
}

// mayForce allows putting back what was edited by hand on objects of ours, and,
// with leave, what a deliverer holds.
func mayForce(a *Applier, it *Item, list []conflict, cause error) error {
	if it.Live != nil && !a.ours(it.Live) && !mayTake(a, it.Live) {
		return foreign(a, it.Ref, it.Live, "; "+list[0].field+" differs")
	}
	var others []conflict
	for _, c := range list {
		adopted := c.subresource == "" && ByPerson(c.manager) && adoptable(a, it.Live)
		if !c.byHand() && !adopted && c.manager != Adopter && !(a.opts.ForceOwner && delivererNamed(c.manager) != "") {
			others = append(others, c)
		}
	}
	if len(others) > 0 {
		return conflicted(a, it, others, cause)
	}
	return nil
}

// judge decides by what would change.
func judge(a *Applier, it *Item) error {
	switch {
	case len(it.Changes) > 0:
		if !a.ours(it.Live) && !mayTake(a, it.Live) {
			return foreign(a, it.Ref, it.Live, "; "+it.Changes[0].Path+" differs")
		}
		it.Action = Update
	case len(it.Owned) > 0:
		it.Action = Update
		if !a.ours(it.Live) {
			it.Why = TakenAsItIs
			it.Owned = nil
		}
	default:
		it.Action = Unchanged
	}
	return nil
}

// planLeft decides what happens to an object of the inventory that the new
// set leaves out. An object that is not there gets no Action.
func planLeft(ctx context.Context, a *Applier, it *Item) error {
	err := find(ctx, a, it)
	if it.Live != nil {
		it.Action, it.Why = leftAction(a, it.Ref, it.Live)
	}
	return err
}

// find reads what is recorded or named: Live stays nil where it is not there, and
// the Action is Gone where its kind is not served any more.
func find(ctx context.Context, a *Applier, it *Item) (err error) {
	it.Live, err = a.get(ctx, it.Ref)
	if meta.IsNoMatchError(err) {
		*it = *goneItem(it.Ref)
		return nil
	}
	return failure(a, "read", it.Ref, err)
}

// leftAction says whether a left-out object may be deleted. The inventory is
// a hint; what counts is the live object.
func leftAction(a *Applier, ref Ref, live *unstructured.Unstructured) (Action, string) {
	if a.opts.Set.data(ref) {
		return Keep, "it is data"
	}
	if !a.ours(live) {
		return Keep, "it is not ours: managed by " + managers(live)
	}
	if by := DeliveredBy(live); by != "" {
		return Keep, by + " manages it, too"
	}
	return Delete, ""
}

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
	switch by := DeliveredBy(live); {
	case a.ours(live) && by != "" && !a.opts.ForceOwner: // since it was looked at
		return Keep, by + " manages it, too"
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
	if by := DeliveredBy(it.Live); by != "" {
		return deliveredRemoval(a, it.Ref, it.Live, by)
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
