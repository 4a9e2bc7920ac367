package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Execute carries the removal out: the Buckets are let go of while the controller
// runs; the Subscription goes before what it installed, which OLM would else
// install anew; what the controller needs goes when its pods are gone, the admission
// policy when the permissions on Buckets are removed; and the inventory lasts as long
// as anything it lists. Each step looks at what is there, so that a run that was
// interrupted is continued by another. What cannot be removed
// is a Part with the fate Left; the inventory and the namespace then stay, for the
// next run. observe is told of each part, one call at a time.
//
// S3 is never asked anything.
func (r *Removal) Execute(ctx context.Context, observe func(health.State)) error {
	r.observe = observe
	for _, step := range []func(context.Context) error{
		r.letGo, r.endSubscription, r.endController, r.removeLeftovers, r.releaseRest, r.removeFurniture,
		r.removeRole, r.removeRights, r.removePolicy, r.removeDefinition, r.removeInventory, r.removeNamespace,
	} {
		if err := step(ctx); err != nil {
			return r.conn.Translate(err)
		}
	}
	return nil
}

// endSubscription keeps OLM from installing anything more.
func (r *Removal) endSubscription(ctx context.Context) error {
	going := r.going(TheObject, ofKind("Subscription"))
	if len(going) == 0 {
		return nil
	}
	if err := r.newcomers(ctx); err != nil {
		return err
	}
	if err := r.removeObjects(ctx, going); err != nil {
		return err
	}
	for _, p := range going {
		if p.Fate != Removed { // what it installed is not ours any more, either
			return &problem.Error{
				Kind: problem.Refused, What: p.Object + " was taken over by somebody else meanwhile", Why: p.Why,
				Next: "oc ostoy-s3 controller status shows what there is now",
			}
		}
	}
	return nil
}

// removeObjects deletes objects that install applied; one that somebody took over
// meanwhile is kept.
func (r *Removal) removeObjects(ctx context.Context, parts []*Part) error {
	items := make([]*apply.Item, len(parts))
	for n, p := range parts {
		items[n] = p.item
	}
	return r.applier.Remove(ctx, items, func(event apply.Event) {
		for _, p := range parts {
			if p.Ref != event.Ref {
				continue
			}
			if p.Done = event.Action == apply.Delete; !p.Done {
				p.keep(p.item.Why, "")
			}
		}
	})
}

// removeThose removes some of the objects, and reports it if there were any.
func (r *Removal) removeThose(ctx context.Context, which func(*Part) bool, removed func(n int) health.State) error {
	going := r.going(TheObject, which)
	if err := r.removeObjects(ctx, going); err != nil || len(going) == 0 {
		return err
	}
	r.observe(removed(len(going)))
	return nil
}

func isRight(p *Part) bool { return ofKind("ClusterRole", "ClusterRoleBinding")(p) }

// removeFurniture removes what the controller was given besides its rights.
func (r *Removal) removeFurniture(ctx context.Context) error {
	furniture := func(p *Part) bool { return !p.Done && !isRight(p) && !isPolicy(p) }
	return r.removeThose(ctx, furniture, func(n int) health.State {
		return health.State{Kind: "Object", Name: "objects", Text: numbered(n, "object") + " removed", Ready: true}
	})
}

// removeRights removes what is of the whole cluster.
func (r *Removal) removeRights(ctx context.Context) error {
	return r.removeThose(ctx, isRight, func(int) health.State {
		return health.State{Kind: "Right", Name: "rights", Text: "removed", Ready: true}
	})
}

// removeRole removes the role, when nobody needs it any more. One that cannot be
// removed does not keep the rest.
func (r *Removal) removeRole(ctx context.Context) error {
	for _, p := range r.going(TheRole, nil) {
		_, err := iam.Remove(ctx, r.roles, r.role)
		if err == nil {
			p.Done = true
			r.observe(health.State{Kind: "Role", Name: "role", Text: "removed", Ready: true})
			continue
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		if awserr.LoggedOut(err) {
			return err
		}
		var told *problem.Error
		if errors.As(err, &told) {
			p.leave(told.Error(), told.Next)
		} else {
			p.leave(err.Error(), "")
		}
		r.observe(health.State{Kind: "Role", Name: "role", Text: "not removed", Level: health.Fail})
	}
	return nil
}

// removeInventory is last of what it lists.
func (r *Removal) removeInventory(ctx context.Context) error {
	if r.has(Left) {
		for _, p := range slices.Concat(r.going(TheInventory, nil), r.going(TheNamespace, nil)) {
			p.keep("it goes when the rest is gone", "")
		}
		return nil
	}
	for _, p := range r.going(TheInventory, nil) {
		if err := r.applier.RemoveInventory(ctx, r.objects); err != nil {
			return err
		}
		p.Done = true
	}
	return nil
}
