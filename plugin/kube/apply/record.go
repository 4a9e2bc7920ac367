package apply

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// WriteInventory records the objects that exist and those that are about to be created,
// before the first of them is created, so that a run that is killed leaves nothing
// unknown behind. Everything else in the record stays as the last install left it: what
// this run is asked for is recorded when it has been done (RecordRole, Prune).
//
// It writes only what differs. If the run changes something although the inventory stays
// the same, other runs are taken into account, too: changed objects are marked in it, and
// for what is not in the plan, the role, as changes says, the API server is asked whether
// it is still the same.
func (p *Plan) WriteInventory(ctx context.Context, changes bool) error {
	inv := p.beforehand()
	switch {
	case !p.Changed() && !changes: // Prune records what else is new
		return nil
	case !recorded(p, inv.Data()):
		return write(ctx, p, inv, markBegin)
	case p.Changed():
		return write(ctx, p, inv, markNew)
	}
	return write(ctx, p, inv, markKeep)
}

// RecordRole records the role, which is now as it is to be. It is for a role that nothing
// else leads to: without the record, the next run would create another one.
func (p *Plan) RecordRole(ctx context.Context) error {
	inv := p.beforehand()
	inv.RoleARN, inv.RoleOrigin, inv.RoleBegun = p.Inventory.RoleARN, p.Inventory.RoleOrigin, ""
	if recorded(p, inv.Data()) {
		return nil
	}
	if err := write(ctx, p, inv, markRole); err != nil {
		return err
	}
	p.old.Record = inv.Record
	return nil
}

// beforehand is the inventory while the plan is carried out: the objects that it lists at
// the end, those that are still to be removed, and the record of the last install. Where
// things come from is recorded from the beginning: once they have been changed, nothing
// shows any more that they were there before. So is a role that is taken over; and the
// controller's inventory names its role: nothing else leads to it.
func (p *Plan) beforehand() Inventory {
	union := p.Inventory
	union.Objects = sortRefs(slices.Concat(p.Inventory.Objects, p.old.Objects))
	if p.applier.opts.Set.Inventory != InventoryName {
		return union
	}
	union.Record = p.old.Record.withOrigins(p.Inventory.Record)
	union.RoleBegun = ""
	if now := p.Inventory.RoleARN; now != union.RoleARN {
		union.RoleBegun = now
	}
	return union
}

// withOrigins is the record with the origins that only the next one has.
func (r Record) withOrigins(next Record) Record {
	if r.BucketOrigin == "" {
		r.Bucket, r.BucketOrigin = next.Bucket, next.BucketOrigin
	}
	r.NamespaceOrigin = cmp.Or(r.NamespaceOrigin, next.NamespaceOrigin)
	if next.RoleOrigin == OriginAdopted {
		r.RoleARN, r.RoleOrigin = next.RoleARN, next.RoleOrigin
	}
	return r
}

// aim identifies what a run is going to record at its end: two runs with the same aim do
// not undo each other's changes.
func (p *Plan) aim() string {
	text, _ := json.Marshal(p.Inventory.Data()) // a map of strings: this cannot fail
	sum := sha256.Sum256(text)
	const enough = 8
	return hex.EncodeToString(sum[:enough])
}

// Recorded is the inventory as this plan last wrote it, or as it was read; nil if
// there is none.
func (p *Plan) Recorded() *unstructured.Unstructured { return p.base }

// Halt has the plan begin no further write; those that were sent are waited for, so that
// it is known what became of them.
func (p *Plan) Halt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outcome.halted = true
}

// Beside does another part of an installation at the same time as apply, which applies
// waves of the plan. Neither is cut off when the other fails, because the answers to what
// was sent say what was changed; only no further write is begun.
func (p *Plan) Beside(another, apply func() error) error {
	return combine(together([]func() error{another, apply}, func(n int, part func() error) error {
		err := part()
		if err != nil && n == 0 {
			p.Halt()
		}
		return err
	}))
}

func (p *Plan) halted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.outcome.halted
}

// outcome is what the execution of a plan has left behind besides its events.
type outcome struct {
	halted  bool
	written bool  // the inventory
	unsure  []Ref // without a final answer
}

// WroteInventory reports whether this run has written the inventory.
func (p *Plan) WroteInventory() bool { return p.outcome.written }

// Unsure are the objects for which a write was sent and no final answer came, the
// inventory included: the write may have been carried out.
func (p *Plan) Unsure() []Ref {
	p.mu.Lock()
	defer p.mu.Unlock()
	return sortRefs(slices.Clone(p.outcome.unsure))
}

// unsure notes a write that failed, unless the API server has refused it. Where an object
// is adopted or taken over, a first request may have been carried out before.
func (p *Plan) unsure(it *Item, err error) {
	if Refused(err) && !it.manner.adopt && !it.manner.take {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outcome.unsure = append(p.outcome.unsure, it.Ref)
}

// Refused reports whether an error is the API server's answer that it has not carried out
// a request, or that none was sent.
func Refused(err error) bool {
	if errors.Is(err, ErrLostRace) {
		return true
	}
	var status apierrors.APIStatus
	return errors.As(err, &status) && status.Status().Code < http.StatusInternalServerError
}
