package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// DiffRequest is what is to be held against what there is.
type DiffRequest struct {
	Facts FactsRequest
	Chart ChartRequest
	Role  RoleRequest
	IAM   IAMMode

	ForceConflicts bool
	ForceOwner     bool
	Adopt          Adopt  // as of InstallRequest
	Tighten        bool   // as of InstallRequest
	ExternalDiff   string // as of InstallRequest
	Timeout        time.Duration
}

// diffRun is the next run of install, as far as it looks.
type diffRun struct{ *install }

// Diff prints what the next install would change, in the cluster and of the role,
// and reports whether that is anything. It writes nothing. What install would
// refuse is the error; the rest is printed all the same.
func (a *App) Diff(ctx context.Context, request DiffRequest) (changed bool, err error) {
	d := &diffRun{&install{
		App: a, started: a.Now(), looks: true,
		request: InstallRequest{
			Facts: request.Facts, Chart: request.Chart, Role: request.Role, IAM: request.IAM, DryRun: DryRunServer,
			ForceConflicts: request.ForceConflicts, ForceOwner: request.ForceOwner,
			Adopt: request.Adopt, Tighten: request.Tighten,
			ExternalDiff: request.ExternalDiff,
		},
	}}
	onlyLooked := func() string { return "nothing was changed: diff only looks" }
	err = session.InTime(ctx, request.Timeout, request.Timeout, onlyLooked, func(ctx context.Context) (err error) {
		changed, err = d.run(ctx)
		return err
	})
	return changed, err
}

func (d *diffRun) run(ctx context.Context) (changed bool, err error) {
	if err := d.learn(ctx); err != nil {
		return false, err
	}
	if err := d.projectForIssuer(ctx); err != nil { // a dry run: it makes none
		return false, err
	}
	if err := d.adoptRole(ctx); err != nil {
		return false, err
	}
	outcomes, err := d.compare(ctx)
	if err != nil {
		return false, err
	}
	refused := d.refusals(ctx, outcomes)
	d.tell(outcomes)
	changed, err = d.showDiff(ctx, d.Report)
	switch {
	case err != nil:
		return changed, err
	case !changed && refused == nil:
		d.UI.Linef("nothing to change (%s)", d.took())
	}
	return changed, refused
}

// compare plans objects and role as install does, and runs its checks, all at the
// same time. What they refuse stops nothing here.
func (d *diffRun) compare(ctx context.Context) ([]check.Outcome, error) {
	target, err := d.target(ctx, d.newWorld())
	if err != nil {
		return nil, err
	}
	target.Plan = func(context.Context) error { return nil } // beside them, and whatever they say
	var outcomes []check.Outcome
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.planObjects(groupCtx) })
	group.Go(func() error {
		outcomes = check.Run(groupCtx, check.Pre(target), nil)
		return nil
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return outcomes, ctx.Err()
}

// refusals is the error for all that install would refuse, nil if nothing.
func (d *diffRun) refusals(ctx context.Context, outcomes []check.Outcome) error {
	several := &problem.Several{}
	if err := refusal(outcomes); err != nil && !errors.As(err, &several) {
		return err
	}
	failed := check.Having(outcomes, check.Failed)
	for _, item := range d.plan.All() {
		switch {
		case item.Err == nil,
			apierrors.IsForbidden(item.Err) && failedToo(failed, check.IDClusterRights),
			item.Ref.IsBucket() && failedToo(failed, check.IDBucketCRD):
			continue // or told already
		}
		several.Problems = append(several.Problems, toldAs(item.Err))
	}
	if d.plan.InventoryErr != nil {
		several.Problems = append(several.Problems, toldAs(d.plan.InventoryErr))
	}
	if len(several.Problems) == 0 {
		return nil
	}
	several.Note = "install would refuse; the diff is of everything else"
	return d.tutorialFirst(ctx, several)
}

// toldAs is an error in three parts, as far as it has them.
func toldAs(err error) *problem.Error {
	if one, ok := errors.AsType[*problem.Error](err); ok {
		return one
	}
	return &problem.Error{Kind: problem.Failed, What: err.Error(), Err: err}
}

// tell says what a diff cannot: who set a field that changes, what is kept, what
// changes hands only.
func (d *diffRun) tell(outcomes []check.Outcome) {
	for _, warning := range d.worthTelling(check.Having(outcomes, check.Warned, check.NotAllowed)) {
		d.UI.Warn(inLine(warning.What+": "+warning.Why), warning.Next)
	}
	if !d.project.exists {
		d.UI.Linef("project %s is not there, or not to be seen: everything is new", d.facts.Namespace.Value)
	}
	if d.role != nil {
		d.announceNotes()
	}
	taken := 0
	for _, item := range d.plan.All() {
		d.tellItem(item)
		if item.Action == apply.Update && !showsChange(item) {
			taken++
		}
	}
	if taken > 0 {
		d.UI.Linef("%s would only be taken into the inventory, as it is", plural(int64(taken), "object"))
	}
}

func (d *diffRun) tellItem(item *apply.Item) {
	switch item.Action {
	case apply.Keep:
		d.UI.Linef("%s is no longer needed and is kept: %s", item.Ref, inLine(item.Why))
	case apply.Gone:
		d.UI.Linef("%s is forgotten: %s", item.Ref, inLine(item.Why))
	case apply.Update:
		if item.Why != "" && item.Why != apply.TakenAsItIs && !item.Adopts() && !item.Takes() {
			d.UI.Warn(inLine(fmt.Sprintf("%s: %s", item.Ref, item.Why)), "")
		}
		for _, change := range item.Changes {
			if change.Manager != "" {
				d.UI.Line(inLine(fmt.Sprintf("%s: %s was changed by %s", item.Ref, change.Path, change.Manager)))
			}
		}
	}
}
