package apply

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// ErrLostRace marks the error of a run that stops because another run of this tool
// changed the same project; for errors.Is.
var ErrLostRace = errors.New("another run was faster")

const (
	otherRun = "another run of oc ostoy-s3"

	// replacesAnnotation is written where a run changes something and the data of
	// the inventory stays the same: its value is the resourceVersion that this write
	// replaces. Without it nothing would change in the ConfigMap, and a run that
	// removes the installation at the same time would delete the inventory of what
	// this run creates. The next write that changes the data removes it.
	replacesAnnotation = "ostoy-s3/replaces"
	// aimAnnotation is written with the list of the objects that a run is about to change:
	// what it is going to record at its end (Plan.aim). Another run with another aim stops.
	aimAnnotation = "ostoy-s3/aim"
	// removingAnnotation is written by a run that is about to delete what the inventory
	// lists, so that an install that has read it before stops before it creates
	// anything. The next write of an install removes it.
	removingAnnotation = "ostoy-s3/removing"
	// neverVersion is a resourceVersion that no object has: the first one that etcd
	// gives is 2. An apply with it creates an object, and conflicts with one that
	// exists (apiserver, registry/generic/registry/store.go, Update).
	neverVersion = "1"
)

// marking is which write of the inventory it is.
type marking int

const (
	markBegin marking = iota // the objects that are about to be created
	markNew                  // the data stays the same, and objects change
	markKeep                 // nothing is to change: it only asks whether another run has written
	markRole                 // the role, once it is as it is to be
	markDone                 // what the run has done
)

// notes are the annotations that a write sets.
func (m marking) notes(p *Plan) map[string]string {
	notes := map[string]string{}
	switch m {
	case markBegin, markRole:
		notes[aimAnnotation] = p.aim()
	case markNew:
		notes[aimAnnotation], notes[replacesAnnotation] = p.aim(), p.base.GetResourceVersion()
	case markKeep:
		for _, key := range []string{aimAnnotation, replacesAnnotation} {
			if value, is := p.base.GetAnnotations()[key]; is {
				notes[key] = value
			}
		}
	case markDone:
	}
	return notes
}

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
func write(ctx context.Context, p *Plan, inv Inventory, how marking) error {
	a, ref := p.applier, p.applier.opts.Set.inventoryRef()
	client, err := a.client(ctx, ref.GVK())
	if err != nil {
		return failure(a, "applied", ref, err)
	}
	send := func(object *unstructured.Unstructured) error {
		out, err := client.Apply(ctx, ref.Name, object, metav1.ApplyOptions{FieldManager: Manager, Force: true})
		if err == nil {
			p.base, p.outcome.written = out, how != markKeep || p.outcome.written
		}
		return err
	}
	err = a.retry(ctx, func() error {
		object := func() *unstructured.Unstructured {
			object := recordOf(a, inv.Data())
			for key, value := range how.notes(p) {
				annotate(object, key, value)
			}
			return object
		}
		err := send(tied(object(), p.base))
		if err == nil || !raced(err) && !refusesVersion(err) {
			return err
		}
		live, getErr := a.get(ctx, ref)
		if getErr != nil {
			return getErr
		}
		if live == nil && p.base == nil { // the API server creates nothing with a resourceVersion
			return send(object())
		}
		return afterConflict(p, live, inv, how, err)
	})
	if err != nil && how != markKeep && !Refused(err) {
		p.outcome.unsure = append(p.outcome.unsure, ref)
	}
	return failure(a, "applied", ref, err)
}

// afterConflict decides by the inventory as it is now: nil if this run can continue
// with it, the conflict if the write is to be repeated.
func afterConflict(p *Plan, live *unstructured.Unstructured, inv Inventory, how marking, conflict error) error {
	a := p.applier
	switch {
	case live == nil:
		return lostRace(a, nil)
	case p.base == nil && a.opts.Set.InventoryOf(live).Foreign:
		return foreign(a, a.opts.Set.inventoryRef(), live, "; the inventory would take its place")
	case p.base != nil && untouched(p.base, live):
		p.base = live // only labels or annotations of others
		return conflict
	case p.base != nil && p.base.GetUID() != live.GetUID(), live.GetAnnotations()[removingAnnotation] != "", !Ours(live):
		return lostRace(a, live)
	case how == markNew && live.GetAnnotations()[replacesAnnotation] != p.base.GetResourceVersion():
		return lostRace(a, live)
	}
	now := a.opts.Set.InventoryOf(live)
	lists := func(objects []Ref) bool {
		return slices.EqualFunc(sortRefs(slices.Clone(objects)), now.Objects, Ref.same)
	}
	record := now.Record.with(p.Inventory.Record)
	switch live.GetAnnotations()[aimAnnotation] {
	case "": // no run is under way; another one may have recorded what this one is going to
		if record != now.Record || !lists(inv.Objects) && !lists(p.Inventory.Objects) {
			return lostRace(a, live)
		}
		p.Inventory.Record = record
	case p.aim():
		if !lists(inv.Objects) {
			return lostRace(a, live)
		}
		if how == markRole || how == markDone {
			p.base = live
			return conflict
		}
	default:
		return lostRace(a, live)
	}
	p.base = live
	return nil
}

// untouched reports whether no run has written an inventory since it was read:
// labels and annotations of others do not count.
func untouched(was, now *unstructured.Unstructured) bool {
	return notInstalled(was, now) && was.GetAnnotations()[removingAnnotation] == now.GetAnnotations()[removingAnnotation] &&
		was.GetAnnotations()[aimAnnotation] == now.GetAnnotations()[aimAnnotation]
}

// notInstalled is untouched for a run that deletes: another one that deletes the same
// does not count either.
func notInstalled(was, now *unstructured.Unstructured) bool {
	return was.GetUID() == now.GetUID() && maps.Equal(dataOf(was), dataOf(now)) &&
		was.GetAnnotations()[replacesAnnotation] == now.GetAnnotations()[replacesAnnotation]
}

// refusesVersion recognises an API server that creates nothing if a resourceVersion
// is given.
func refusesVersion(err error) bool {
	return strings.Contains(err.Error(), "resourceVersion should not be set on objects to be created")
}

// lostRace is the error of a run that found the inventory changed, or, if live is
// nil, deleted.
func lostRace(a *Applier, live *unstructured.Unstructured) error {
	did, why := "deleted", "the inventory that this run had read does not exist any more"
	if live != nil {
		did, why = "changed", "it is not the inventory that this run had read"
		if live.GetAnnotations()[removingAnnotation] != "" {
			why = "an uninstall is removing what it lists, or was interrupted"
		}
	}
	whose := "project " + a.opts.Namespace
	if a.opts.Set.Inventory == ControllerInventoryName {
		whose = "the controller in " + whose
	}
	return stopped(a, otherRun+" "+did+" the inventory of "+whose+" while this one was running", why)
}

func stopped(a *Applier, what, why string) error {
	next := "wait until the other run has ended, then run the same command again"
	if a.opts.Set.Inventory == InventoryName {
		next += "; " + advice.Command("oc ostoy-s3 status", "-n", a.opts.Namespace) + " shows what is installed"
	}
	return problem.Fail(what,
		why+"; this run stopped, so that two runs do not undo each other's changes",
		next).Because(ErrLostRace)
}

// recorded reports whether the inventory holds that data already, as far as is
// known: by this plan's last write, or as it was read.
func recorded(p *Plan, want map[string]string) bool {
	return p.base != nil && Ours(p.base) && maps.Equal(ourKeys(dataOf(p.base)), want)
}

// annotate adds an annotation to an object.
func annotate(object *unstructured.Unstructured, key, value string) {
	notes := object.GetAnnotations()
	if notes == nil {
		notes = map[string]string{}
	}
	notes[key] = value
	object.SetAnnotations(notes)
}

// recordOf is the ConfigMap that holds an inventory. It is applied by force: what
// somebody edited in it is put back. That it is not somebody else's was settled
// by Plan.
func recordOf(a *Applier, data map[string]string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetGroupVersionKind(a.opts.Set.inventoryRef().GVK())
	object.SetName(a.opts.Set.inventoryRef().Name)
	object.SetNamespace(a.opts.Namespace)
	object.SetLabels(map[string]string{render.TagManagedBy: Manager})
	a.opts.Set.Extra.AddTo(object)
	_ = unstructured.SetNestedStringMap(object.Object, data, "data") // fails only below what is no map
	return object
}
