package install

import (
	"context"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/differ"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// tellPlan prints what was found and what is about to be done.
func tellPlan(i *run, p plan.Plan) {
	announce.Warnings(i.UI, p.Warnings())
	warnOfSecrets(i, p.Before.Secrets)
	f, found := p.Desired.Facts(), p.Desired.Project.Found
	head := append(announce.Head(f, found.Caller, p.KnownToIAM), ui.Row{Label: "project", Text: f.Namespace.Value, From: f.Namespace.Source})
	announce.Recalled(i.UI, p.Desired.Recalled, head...)
	for _, note := range found.Notes {
		i.UI.Linef("note      %s", plain.InLine(note))
	}
	if c := i.request.Controller; c != nil {
		c.AnnounceNotes()
	}
	if i.nothingToDo(p) {
		announce.RoleNotes(i.UI, p, verifies(i))
		return
	}
	if controllerComes(i) {
		i.request.Controller.AnnounceReach()
	}
	announceAdoption(i.UI, p)
	i.UI.Line("")
	i.UI.Line("Plan")
	if controllerComes(i) {
		i.request.Controller.AnnounceSteps()
	}
	if !p.Desired.Project.State.Exists {
		i.UI.Plan(ui.Added, "project", f.Namespace.Value)
	}
	announceRole(i.UI, p)
	announce.RoleNotes(i.UI, p, verifies(i))
	announceObjects(i.UI, p)
	i.UI.Plan(ui.None, exposure.Label, p.Exposure().Words())
	i.UI.Line("")
}

// verifies reports whether the run ends with a verification.
func verifies(i *run) bool { return i.request.Verify && i.request.Wait }

func announceRole(to *ui.UI, p plan.Plan) {
	switch {
	case p.Desired.Adopted.AsIs:
		to.Plan(ui.Kept, "role", p.Role.Role.Label()+"   used as it is: it was there before")
	case p.Desired.GivenRole():
		to.Plan(ui.Kept, "role", p.Role.Role.Label()+"   used as it is, as --iam=skip says")
	}
	announce.Role(to, p.Role)
}

// announceObjects names what changes; what is merely created is counted, but for the
// bucket: that is what the reader came for.
func announceObjects(to *ui.UI, p plan.Plan) {
	var created, taken, over []apply.Ref
	from := ""
	if b := p.Before.Bucket; b != nil && !p.CreatesBucketResource() {
		announce.Bucket(to, b, b.Name)
	}
	for _, item := range p.Objects.All() {
		switch {
		case item.Action == apply.Create && item.Ref.Kind == "Bucket":
			announce.Bucket(to, p.Before.Bucket, item.Ref.Name)
		case item.Action == apply.Create:
			created = append(created, item.Ref)
		case item.Action == apply.Update && len(item.Changes) == 0 && item.Why == apply.TakenAsItIs:
			taken = append(taken, item.Ref)
		case item.OnlyTaken():
			over, from = append(over, item.Ref), plain.InLine(item.Why)
		default:
			announce.Item(to, item)
		}
	}
	if len(taken) > 0 {
		to.Plan(ui.Changed, fmt.Sprintf("%d more", len(taken)), apply.TakenAsItIs+":\n"+announce.Wrap(announce.Named(taken)))
	}
	if len(over) > 0 {
		to.Plan(ui.Changed, phrase.Count(len(over), "object"), from+"; its field ownership, labels and annotations are removed:\n"+announce.Wrap(announce.Named(over)))
	}
	if len(created) > 0 {
		to.Plan(ui.Added, fmt.Sprintf("%d more", len(created)), announce.Wrap(announce.Named(created)))
	}
}

// announceAdoption lists what was recognised, before the plan says what becomes of it.
func announceAdoption(to *ui.UI, p plan.Plan) {
	found := p.Before.Adoption
	if found == nil {
		return
	}
	to.Line("")
	if len(found.Objects) == 0 {
		to.Line("Nothing of the tutorial's is left to adopt")
		return
	}
	to.Line("Found of the tutorial's")
	width := 0
	for _, one := range found.Objects {
		width = max(width, len(one.Object))
	}
	for _, one := range found.Objects {
		text := one.Object
		if len(one.Managers) > 0 {
			text = fmt.Sprintf("%-*s   by %s", width, text, strings.Join(one.Managers, ", "))
		}
		to.Plan(ui.Kept, "object", text)
	}
	if b := found.Bucket; b != nil {
		to.Plan(ui.Kept, "bucket", b.Name+"   "+b.Amount()+": all of it stays")
	}
	if r := found.Role; r != nil {
		text := p.Desired.Adopted.Wanted.Label()
		if len(r.Policies) > 0 {
			text += "   with " + strings.Join(r.Policies, ", ")
		}
		to.Plan(ui.Kept, "role", text)
	}
	to.Line("  the pods are made anew, once; bucket and volume keep what is in them")
}

// confirmExposure asks before a run that makes readable what existed before it. One that
// only looks shows what will be asked.
func confirmExposure(ctx context.Context, i *run, p plan.Plan) error {
	about := ""
	if !i.nothingToDo(p) {
		about = p.Exposes(ctx)
	}
	switch {
	case about == "":
		return nil
	case i.request.DryRun != session.DryRunNone:
		i.UI.Warn(about, "the installation itself asks for confirmation; a script needs --yes")
		return nil
	case i.request.Mode == ModeManual:
		i.UI.Warn(about, "the script does not ask for confirmation")
		return nil
	}
	return confirm(ctx, i, about)
}

// confirmReturn asks before values return to their defaults that no record has: an earlier
// version of this tool did not record what it was given.
func confirmReturn(ctx context.Context, i *run, p plan.Plan) error {
	returns := p.Before.Returning
	if len(returns) == 0 {
		return nil
	}
	about := announce.Returning(returns)
	const next = "to keep them, give them by -f or --set; --reset-values confirms the defaults"
	switch {
	case i.request.onlyLooks():
		i.UI.Warn(about, next)
		return nil
	case i.request.Yes:
		return nil
	}
	flags := "--reset-values, or with the values to keep, by -f or --set"
	return session.Question{About: about, Word: "yes", Flags: flags, Nothing: announce.NothingChanged}.Confirm(ctx, i.UI, i.request.Ask)
}

// mayTighten asks before rights are taken from a role that this tool did not make.
func mayTighten(ctx context.Context, i *run, p plan.Plan) error {
	if !p.Tightens() {
		return nil
	}
	return confirm(ctx, i, "--tighten-role takes rights from the role "+p.Role.Role.Label()+", which this tool did not make")
}

func confirm(ctx context.Context, i *run, about string) error {
	if i.request.Yes {
		return nil
	}
	return session.Question{About: about, Word: "yes", Flags: "--yes", Nothing: announce.NothingChanged}.Confirm(ctx, i.UI, i.request.Ask)
}

// tellPlanWithDiff prints the plan, and the diff if it was asked for. What of a role that
// was there before changes is always shown, before anybody is asked about it.
func tellPlanWithDiff(ctx context.Context, i *run, p plan.Plan) error {
	tellPlan(i, p)
	switch {
	case i.request.Diff:
		pairs, err := announce.Pairs(p.Objects, p.Role)
		if err == nil {
			_, err = announce.Diff(ctx, i.Session, i.UI, pairs, i.request.ExternalDiff)
		}
		return err
	case p.Tightens():
		return i.UI.Patch(string(differ.Unified(announce.RolePairs(p.Role))))
	}
	return nil
}
