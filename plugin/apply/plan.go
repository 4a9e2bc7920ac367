package apply

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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

	applier *Applier
}

// Plan decides what happens to each object, sending only reads and
// PATCH ?dryRun=All. objects are in apply order and all in the one namespace;
// old is what ReadInventory gave, record what to remember.
//
// Foreign objects are a *problem.Error of kind Refused, conflicts and
// refusals of the API server one of kind Failed; all of them are in it, not
// only the first.
func (a *Applier) Plan(ctx context.Context, objects []*unstructured.Unstructured, old Inventory, record Record) (*Plan, error) {
	return &Plan{applier: a}, nil
}

// Changed reports whether executing the plan would change any object. An
// inventory that alone needs rewriting does not count.
func (p *Plan) Changed() bool { return false }

// Waves are the items by wave, in order.
func (p *Plan) Waves() [][]*Item { return nil }

// WriteInventory records the objects that are there and those that are about
// to be, before the first of them is made. It writes only what differs.
func (p *Plan) WriteInventory(ctx context.Context) error { return nil }

// ApplyWave applies the i-th of Waves, its objects at the same time. observe
// is called for each object that is done, one call at a time; it may be nil.
func (p *Plan) ApplyWave(ctx context.Context, i int, observe func(Event)) error { return nil }

// Prune deletes the items of Left that are to be deleted and shrinks the
// inventory to what is there. It writes only what differs.
func (p *Plan) Prune(ctx context.Context, observe func(Event)) error { return nil }

// Live are the objects as they are now, in apply order: as the server
// answered where they were applied, as they were read where not.
func (p *Plan) Live() []*unstructured.Unstructured { return nil }

// Wrote reports whether this run created or updated the object.
func (p *Plan) Wrote(kind, name string) bool { return false }
