package apply

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// planOne decides what happens to one object of the new set.
func (a *Applier) planOne(ctx context.Context, it *Item) error {
	if a.opts.Fresh && !a.opts.Set.Cluster(it.Ref) {
		it.Action, it.Would = Create, it.object
		return nil
	}
	live, err := a.get(ctx, it.Ref)
	if meta.IsNoMatchError(err) && slices.Contains(a.opts.Coming, it.Ref.GVK().GroupKind()) {
		it.Action, it.Would = Create, it.object
		return nil
	}
	if err != nil {
		return a.failure("read", it.Ref, err)
	}
	it.Live = live
	if live == nil {
		it.Action, it.Would = Create, it.object
		return a.tryCreate(ctx, it)
	}
	refused := a.mayApply(it.Ref, live)
	if refused != nil && !a.opts.Look {
		return refused
	}
	err = a.foretell(ctx, it)
	if refused != nil {
		return refused
	}
	return err
}

// foretell finds out what an apply would make of an object that is there, and
// decides by that.
func (a *Applier) foretell(ctx context.Context, it *Item) (err error) {
	defer func() {
		if err == nil {
			a.adopting(it)
			a.taking(it)
		}
	}()
	if a.opts.Guess {
		it.Would = imagine(it.Live, it.object)
		it.Changes = guess(it.Live, it.Would)
		return a.judge(it)
	}
	if it.Would, err = a.try(ctx, it); err != nil {
		return err
	}
	if it.Would == nil { // a dry run is not possible
		it.Action, it.Would = Update, imagine(it.Live, it.object)
		return nil
	}
	it.Changes, it.Owned = compare(it.Live, it.Would)
	return a.judge(it)
}

// mayApply refuses what needs no dry run to be refused.
func (a *Applier) mayApply(ref Ref, live *unstructured.Unstructured) error {
	if live.GetDeletionTimestamp() != nil {
		why := "it is on its way out and would take what is applied now with it"
		if f := live.GetFinalizers(); len(f) > 0 {
			why += "; it waits for " + strings.Join(f, ", ")
		}
		return &problem.Error{
			Kind: problem.Refused,
			What: a.named(ref) + " is being deleted",
			Why:  why,
			Next: "wait until it is deleted (" + a.oc("oc get", ref, "-w") + "), then run the same command again",
		}
	}
	if by, ok := deliveredBy(live); ok && !a.opts.ForceOwner {
		return a.delivered(ref, by)
	}
	return nil
}

// tryCreate asks whether the server would take a new object, where that is
// wanted beforehand.
func (a *Applier) tryCreate(ctx context.Context, it *Item) error {
	if !a.opts.TryCreates {
		return nil
	}
	would, err := a.patch(ctx, it, true)
	if noDryRuns(err) {
		return nil
	}
	if err == nil {
		it.Would = would
	}
	return a.failure("planned", it.Ref, err)
}

// noDryRuns recognises the refusal of a dry run by a webhook that does not
// know them.
func noDryRuns(err error) bool {
	return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run")
}

// try asks what an apply would make of the object, forcing only what may be
// forced. It gives nil where a webhook of the cluster forbids dry runs.
func (a *Applier) try(ctx context.Context, it *Item) (*unstructured.Unstructured, error) {
	it.force = a.opts.ForceConflicts
	would, err := a.patch(ctx, it, true)
	if list := conflictsOf(err); len(list) > 0 {
		if err := a.mayForce(it, list, err); err != nil {
			return nil, err
		}
		it.force = true
		would, err = a.patch(ctx, it, true)
	}
	if err == nil {
		return would, nil
	}
	if noDryRuns(err) && a.ours(it.Live) {
		it.Why = "what changes is not known beforehand: a webhook of this cluster does not support dry runs"
		return nil, nil
	}
	return nil, a.failure("planned", it.Ref, err)
}

// mayForce allows putting back what was edited by hand on objects of ours, and,
// with leave, what a deliverer holds.
func (a *Applier) mayForce(it *Item, list []conflict, cause error) error {
	if it.Live != nil && !a.ours(it.Live) && !a.mayTake(it.Live) {
		return a.foreign(it.Ref, it.Live, "; "+list[0].field+" differs")
	}
	var others []conflict
	for _, c := range list {
		_, delivered := delivererNamed(c.manager)
		adopted := c.subresource == "" && ByPerson(c.manager) && a.adoptable(it.Live)
		if !c.byHand() && !adopted && !(delivered && a.opts.ForceOwner) {
			others = append(others, c)
		}
	}
	if len(others) > 0 {
		return a.conflicted(it.Ref, others, cause)
	}
	return nil
}

// judge decides by what would change.
func (a *Applier) judge(it *Item) error {
	switch {
	case len(it.Changes) > 0:
		if !a.ours(it.Live) && !a.mayTake(it.Live) {
			return a.foreign(it.Ref, it.Live, "; "+it.Changes[0].Path+" differs")
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
func (a *Applier) planLeft(ctx context.Context, it *Item) error {
	err := a.find(ctx, it)
	if it.Live != nil {
		it.Action, it.Why = a.leftAction(it.Ref, it.Live)
	}
	return err
}

// find reads what is recorded or named: Live stays nil where it is not there, and
// the Action is Gone where its kind is not served any more.
func (a *Applier) find(ctx context.Context, it *Item) (err error) {
	it.Live, err = a.get(ctx, it.Ref)
	if meta.IsNoMatchError(err) {
		*it = *goneItem(it.Ref)
		return nil
	}
	return a.failure("read", it.Ref, err)
}

// leftAction says whether a left-out object may be deleted. The inventory is
// a hint; what counts is the live object.
func (a *Applier) leftAction(ref Ref, live *unstructured.Unstructured) (Action, string) {
	if a.opts.Set.data(ref) {
		return Keep, "it is data"
	}
	if !a.ours(live) {
		return Keep, "it is not ours: managed by " + strings.Join(managerNames(live), ", ")
	}
	if by, ok := deliveredBy(live); ok {
		return Keep, by.name + " manages it, too"
	}
	return Delete, ""
}

// client is for a kind of the set: in the namespace, unless the kind has none.
func (a *Applier) client(ctx context.Context, gvk schema.GroupVersionKind) (dynamic.ResourceInterface, error) {
	if a.opts.Set.kind(gvk.GroupKind()).Cluster {
		return a.resources.Resource(ctx, gvk, "")
	}
	return a.resources.Resource(ctx, gvk, a.opts.Namespace)
}

// get reads an object; nil if it is not there.
func (a *Applier) get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	client, err := a.client(ctx, ref.GVK())
	if err != nil {
		return nil, err
	}
	live, err := client.Get(ctx, ref.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return live, err
}

// patch applies an item, or tries to.
func (a *Applier) patch(ctx context.Context, it *Item, dry bool) (*unstructured.Unstructured, error) {
	client, err := a.client(ctx, it.Ref.GVK())
	if err != nil {
		return nil, err
	}
	opts := metav1.ApplyOptions{FieldManager: Manager, Force: it.force}
	if dry {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	var out *unstructured.Unstructured
	err = a.retry(ctx, func() (err error) {
		out, err = client.Apply(ctx, it.Ref.Name, it.object, opts)
		return err
	})
	return out, err
}
