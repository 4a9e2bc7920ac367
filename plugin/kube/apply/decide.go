package apply

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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
	refused := mayApply(a, it.Ref, live)
	if refused != nil && !a.opts.Look {
		return refused
	}
	err = foretell(ctx, a, it)
	if refused != nil {
		return refused
	}
	return err
}

// foretell finds out what an apply would make of an object that is there, and
// decides by that.
func foretell(ctx context.Context, a *Applier, it *Item) (err error) {
	defer func() {
		if err == nil {
			adopting(a, it)
			taking(a, it)
		}
	}()
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
	it.Changes, it.Owned = compare(it.Live, it.Would)
	return judge(a, it)
}

// mayApply refuses what needs no dry run to be refused.
func mayApply(a *Applier, ref Ref, live *unstructured.Unstructured) error {
	if live.GetDeletionTimestamp() != nil {
		why := "it is on its way out and would take what is applied now with it"
		if f := live.GetFinalizers(); len(f) > 0 {
			why += "; it waits for " + strings.Join(f, ", ")
		}
		return problem.Refuse(inWords(a, ref)+" is being deleted",
			why,
			"wait until it is deleted ("+oc(a, "oc get", ref, "-w")+"), then run the same command again")
	}
	if by, ok := deliveredBy(live); ok && !a.opts.ForceOwner {
		return managedBy(a, ref, by)
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
	if err == nil {
		return would, nil
	}
	if noDryRuns(err) && a.ours(it.Live) {
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
		_, delivered := delivererNamed(c.manager)
		adopted := c.subresource == "" && ByPerson(c.manager) && adoptable(a, it.Live)
		if !c.byHand() && !adopted && !(delivered && a.opts.ForceOwner) {
			others = append(others, c)
		}
	}
	if len(others) > 0 {
		return conflicted(a, it.Ref, others, cause)
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
	if by, ok := deliveredBy(live); ok {
		return Keep, by.name + " manages it, too"
	}
	return Delete, ""
}
