// Package diff prints what the next install would change, in the cluster and of the role,
// and changes nothing.
package diff

import (
	"context"
	"fmt"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// Request is what is to be compared with what there is.
type Request struct {
	Facts session.Facts
	Chart session.Chart
	Role  iam.RoleOptions
	IAM   plan.IAMMode

	ForceConflicts bool
	ForceOwner     bool
	Adopt          adopt.Set // as of install.Request
	Tighten        bool
	ExternalDiff   string
	Timeout        time.Duration
}

// Run prints what the next install would change, and reports whether that is anything.
// What install would refuse is the error; the rest is printed all the same.
func Run(ctx context.Context, s *session.Session, request Request) (changed bool, err error) {
	onlyLooked := func() string { return "nothing was changed: diff only looks" }
	err = session.InTime(ctx, request.Timeout, request.Timeout, onlyLooked, func(ctx context.Context) (err error) {
		changed, err = run(ctx, s, request)
		return err
	})
	return changed, err
}

func run(ctx context.Context, s *session.Session, request Request) (changed bool, err error) {
	began := s.Now()
	p, err := compare(ctx, s, request)
	if err != nil {
		return false, err
	}
	refused := p.Refused(ctx)
	if there := p.Desired.Project; there.State.Missing() {
		project.WarnOfAbsent(ctx, s.UI, there.Conn, there.Facts.Namespace, there.State, "everything would be created")
		for _, note := range there.Found.Notes {
			s.UI.Linef("note  %s", plain.InLine(note))
		}
	} else if seen := p.Presence(ctx); !seen.Installed() {
		s.UI.Line(plain.InLine(seen.NotInstalled().What))
	}
	tell(s.UI, p)
	pairs, err := announce.Pairs(p.Objects, p.Role)
	if err != nil {
		return false, err
	}
	changed, err = announce.Diff(ctx, s, s.Report, pairs, request.ExternalDiff)
	switch {
	case err != nil:
		return changed, err
	case !changed && refused == nil:
		s.UI.Linef("nothing to change (%.1fs)", s.Now().Sub(began).Seconds())
	}
	return changed, refused
}

// compare makes the plan of the next install.
func compare(ctx context.Context, s *session.Session, r Request) (plan.Plan, error) {
	values, err := s.ReadValues(ctx, r.Chart)
	if err != nil {
		return plan.Plan{}, err
	}
	found, err := project.Look(ctx, s, project.Wanted{Facts: r.Facts})
	if err != nil {
		return plan.Plan{}, err
	}
	if err := found.State.MayInstall(found.Name(), false); err != nil {
		return plan.Plan{}, err
	}
	found = found.Pending()
	if err := plan.Possible(found, r.Role); err != nil {
		return plan.Plan{}, err
	}
	desired, err := plan.Prepare(ctx, found, plan.Request{
		Values: values, Role: r.Role, IAM: r.IAM, Adopt: r.Adopt, Tighten: r.Tighten,
		ForceConflicts: r.ForceConflicts, ForceOwner: r.ForceOwner, How: plan.Compare,
		Version: s.Version, Now: s.Now,
	})
	if err != nil {
		return plan.Plan{}, err
	}
	return desired.Plan(ctx)
}

// tell says what a diff cannot: who set a field that changes, what is kept, what changes
// hands only.
func tell(to *ui.UI, p plan.Plan) {
	announce.Warnings(to, p.Warnings())
	announce.Recalled(to, p.Desired.Recalled)
	if len(p.Before.Returning) > 0 {
		to.Warn(announce.Returning(p.Before.Returning), "install asks before it does this; to keep them, give them by -f or --set")
	}
	if p.Role != nil {
		announce.RoleNotes(to, p, false)
	}
	if b := p.Before.Bucket; b != nil && len(b.Keeps)+len(b.Becomes) > 0 {
		announce.Bucket(to, b, b.Name)
	}
	taken := 0
	for _, item := range p.Objects.All() {
		tellItem(to, item)
		if item.Action == apply.Update && !announce.ShowsChange(item) {
			taken++
		}
	}
	if taken > 0 {
		to.Linef("%s would only be taken into the inventory, as it is", phrase.Count(int64(taken), "object"))
	}
}

func tellItem(to *ui.UI, item *apply.Item) {
	switch item.Action {
	case apply.Keep:
		to.Linef("%s is no longer needed and is kept: %s", item.Ref, plain.InLine(item.Why))
	case apply.Gone:
		to.Linef("%s is forgotten: %s", item.Ref, plain.InLine(item.Why))
	case apply.Update:
		if item.Why != "" && item.Why != apply.TakenAsItIs && !item.Adopts() && !item.Takes() {
			to.Warn(plain.InLine(fmt.Sprintf("%s: %s", item.Ref, item.Why)), "")
		}
		for _, change := range item.Changes {
			if change.Manager != "" {
				to.Line(plain.InLine(fmt.Sprintf("%s: %s was changed by %s", item.Ref, change.Path, change.Manager)))
			}
		}
	}
}
