package apply

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// ErrLostRace marks the error of a run that stops because another run of this tool
// changed the same project; for errors.Is.
var ErrLostRace = errors.New("another run was faster")

const (
	// replacesAnnotation is written where a run changes something and the data of
	// the inventory stays the same: its value is the resourceVersion that this write
	// replaces. Without it nothing would change in the ConfigMap, and a run that
	// removes the installation at the same time would delete the inventory of what
	// this run creates. The next write that changes the data removes it.
	replacesAnnotation = "ostoy-s3/replaces"
	// neverVersion is a resourceVersion that no object has: the first one that etcd
	// gives is 2. An apply with it creates an object, and conflicts with one that
	// exists (apiserver, registry/generic/registry/store.go, Update).
	neverVersion = "1"
)

// tied makes an apply hold for one version of an object only: was, or, if that is
// nil, for an object that does not exist.
func tied(object, was *unstructured.Unstructured) *unstructured.Unstructured {
	object.SetResourceVersion(neverVersion)
	if was != nil {
		object.SetUID(was.GetUID())
		object.SetResourceVersion(was.GetResourceVersion())
	}
	return object
}

// write applies the inventory to the version that this plan knows, and continues
// from the version that the API server answers with. After a conflict it is
// read again: what another run wrote is kept if it says what this run would have
// written, which is also what an answer that was lost looks like. Otherwise
// this run has lost the race.
func (p *Plan) write(ctx context.Context, inv Inventory, busy bool) error {
	a, ref := p.applier, p.applier.opts.Set.inventoryRef()
	client, err := a.client(ctx, ref.GVK())
	if err != nil {
		return a.failure("applied", ref, err)
	}
	options := metav1.ApplyOptions{FieldManager: Manager, Force: true}
	err = a.retry(ctx, func() error {
		object := p.recordOf(inv.Data())
		if busy && p.base != nil {
			object.SetAnnotations(map[string]string{replacesAnnotation: p.base.GetResourceVersion()})
		}
		out, err := client.Apply(ctx, ref.Name, tied(object, p.base), options)
		if err == nil {
			p.base = out
			return nil
		}
		if !raced(err) && !refusesVersion(err) {
			return err
		}
		live, getErr := a.get(ctx, ref)
		if getErr != nil {
			return getErr
		}
		if live == nil && p.base == nil { // the API server creates nothing with a resourceVersion
			if out, err = client.Apply(ctx, ref.Name, p.recordOf(inv.Data()), options); err == nil {
				p.base = out
			}
			return err
		}
		return p.afterConflict(live, inv, busy, err)
	})
	return a.failure("applied", ref, err)
}

// afterConflict decides by the inventory as it is now: nil if this run can continue
// with it, the conflict if the write is to be repeated.
func (p *Plan) afterConflict(live *unstructured.Unstructured, inv Inventory, busy bool, conflict error) error {
	a := p.applier
	switch {
	case live == nil:
		return a.lostRace(nil)
	case p.base == nil && a.opts.Set.InventoryOf(live).Foreign:
		return a.foreign(a.opts.Set.inventoryRef(), live, "; the inventory would take its place")
	case p.base != nil && untouched(p.base, live):
		p.base = live // only labels or annotations of others
		return conflict
	case p.base != nil && p.base.GetUID() != live.GetUID():
		return a.lostRace(live)
	case busy && p.base != nil && live.GetAnnotations()[replacesAnnotation] != p.base.GetResourceVersion():
		return a.lostRace(live)
	}
	now := a.opts.Set.InventoryOf(live)
	record := now.Record.with(inv.Record)
	if !Ours(live) || record != now.Record || !slices.EqualFunc(sortRefs(slices.Clone(inv.Objects)), now.Objects, Ref.same) {
		return a.lostRace(live)
	}
	p.base, p.Inventory.Record = live, record
	return nil
}

// untouched reports whether no run has written an inventory since it was read:
// labels and annotations of others do not count.
func untouched(was, now *unstructured.Unstructured) bool {
	return was.GetUID() == now.GetUID() && maps.Equal(dataOf(was), dataOf(now)) &&
		was.GetAnnotations()[replacesAnnotation] == now.GetAnnotations()[replacesAnnotation]
}

// refusesVersion recognises an API server that creates nothing if a resourceVersion
// is given.
func refusesVersion(err error) bool {
	return err != nil && strings.Contains(err.Error(), "resourceVersion should not be set on objects to be created")
}

// RemoveInventory deletes the inventory if it is ours and no other run has written
// it since it was read. One that does not exist any more is no error.
func (a *Applier) RemoveInventory(ctx context.Context, r *Removal) error {
	if !r.InventoryOurs {
		return nil
	}
	ref, was := a.opts.Set.inventoryRef(), r.Inventory.live
	client, err := a.client(ctx, ref.GVK())
	if err != nil {
		return a.failure("deleted", ref, err)
	}
	err = a.retry(ctx, func() error {
		err := client.Delete(ctx, ref.Name, deleteOptions(was))
		if err == nil || apierrors.IsNotFound(err) {
			return nil
		}
		if !apierrors.IsConflict(err) {
			return err
		}
		live, getErr := a.get(ctx, ref)
		switch {
		case getErr != nil || live == nil:
			return getErr
		case !untouched(was, live):
			return a.lostRace(live)
		}
		was = live
		return err
	})
	return a.failure("deleted", ref, err)
}

// lostRace is the error of a run that found the inventory changed, or, if live is
// nil, deleted.
func (a *Applier) lostRace(live *unstructured.Unstructured) error {
	did, why := "deleted", "the inventory that this run had read does not exist any more"
	if live != nil {
		did, why = "changed", "it is not the inventory that this run had read"
	}
	whose := "project " + a.opts.Namespace
	if a.opts.Set.Inventory == ControllerInventoryName {
		whose = "the controller in " + whose
	}
	return a.stopped("another run of oc ostoy-s3 "+did+" the inventory of "+whose+" while this one was running", why)
}

// CameBack is the error of a run that deleted an object and finds another one of
// the same name.
func (a *Applier) CameBack(ref Ref, live *unstructured.Unstructured) error {
	why := "another run of oc ostoy-s3 created it"
	if !Ours(live) {
		who := strings.Join(managerNames(live), ", ")
		if who == "" {
			who = "nobody on record"
		}
		why = "it was created by something else; managed by " + who
	}
	return a.stopped(a.named(ref)+" was created again while this run was removing it", why)
}

func (a *Applier) stopped(what, why string) error {
	next := "wait until the other run has ended, then run the same command again"
	if a.opts.Set.Inventory == InventoryName {
		next += "; oc ostoy-s3 status -n " + a.opts.Namespace + " shows what is installed"
	}
	return &problem.Error{
		Kind: problem.Failed, What: what, Why: why + "; this run stopped, so that two runs do not undo each other's changes",
		Next: next, Err: ErrLostRace,
	}
}
