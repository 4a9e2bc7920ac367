package plugin

import (
	"context"
	"fmt"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// announce prints what was found and what is about to be done. "Would" and
// "did" are told from the same plan.
func (i *install) announce() {
	i.UI.Rows(i.headRows())
	for _, note := range i.found.Notes {
		i.UI.Linef("note      %s", inLine(note))
	}
	if i.controller != nil {
		i.controller.announceNotes()
	}
	if i.nothingToDo() {
		i.announceNotes()
		return
	}
	if i.controllerComes() {
		i.controller.announceReach()
	}
	i.announceAdoption()
	i.UI.Line("")
	i.UI.Line("Plan")
	if i.controllerComes() {
		i.controller.announceSteps()
	}
	if !i.project.exists {
		i.planned(ui.Added, "project", i.facts.Namespace.Value)
	}
	i.announceRole()
	i.announceObjects()
	i.planned(ui.None, exposureLabel, i.exposure().words())
	i.UI.Line("")
}

// announceWithDiff is announce, and the diff where it was asked for.
func (i *install) announceWithDiff(ctx context.Context) error {
	i.announce()
	if !i.request.Diff {
		return i.showTightening()
	}
	_, err := i.showDiff(ctx, i.UI)
	return err
}

// nothingToDo reports whether project, role, objects and, where it is asked for,
// the controller are as they should be.
func (i *install) nothingToDo() bool {
	return i.project.exists && i.role.Empty() && !i.plan.Changed() && !i.controllerComes()
}

func (i *install) headRows() []ui.Row {
	f := i.facts
	return append(headOf(f, i.found.Caller, i.knownToIAM), ui.Row{Label: "project", Text: f.Namespace.Value, From: f.Namespace.Source})
}

func platformName(platform string) string {
	switch platform {
	case render.PlatformROSAHCP:
		return "ROSA HCP"
	case render.PlatformROSAClassic:
		return "ROSA classic"
	case render.PlatformOpenShift:
		return "OpenShift"
	case render.PlatformEKS:
		return "EKS"
	case render.PlatformKubernetes:
		return "Kubernetes"
	}
	return "a cluster of unknown kind"
}

// announceNotes tells what others did to the role; it stays, so it is told by
// every run.
func (i *install) announceNotes() {
	i.warnOfWidth()
	for _, note := range i.role.Notes {
		i.UI.Warn(inLine(note), "")
	}
	i.warnOfOutlook()
	i.warnOfLastRole()
}

// warnOfLastRole names the role of the last install, if this one uses another. The record
// can be edited in the project, so what it names is in no command to copy.
func (i *install) warnOfLastRole() {
	last, legal := roleNamed(i.inventory.RoleARN)
	if !legal || last.String() == i.role.Role.ARN {
		return
	}
	i.UI.Warn("the inventory of the project names another role, "+last.String()+", which stays and is not used from now on",
		"to see whether it was created for this project, with its name: "+advice.Command("aws iam list-role-tags", "--role-name", advice.RoleName("").Word()))
}

// announceObjects names what changes; what is merely created is counted, but
// for the bucket: that is what the reader came for.
func (i *install) announceObjects() {
	var created, taken, over []apply.Ref
	from := ""
	if i.before.bucket != nil && !i.createsBucketResource() {
		i.announceBucket(i.before.bucket.Name)
	}
	for _, item := range i.plan.All() {
		switch {
		case item.Action == apply.Create && item.Ref.Kind == "Bucket":
			i.announceBucket(item.Ref.Name)
		case item.Action == apply.Create:
			created = append(created, item.Ref)
		case item.Action == apply.Update && len(item.Changes) == 0 && item.Why == apply.TakenAsItIs:
			taken = append(taken, item.Ref)
		case item.OnlyTaken():
			over, from = append(over, item.Ref), inLine(item.Why)
		default:
			i.announceItem(item)
		}
	}
	if len(taken) > 0 {
		i.planned(ui.Changed, fmt.Sprintf("%d more", len(taken)), apply.TakenAsItIs+":\n"+wrap(named(taken)))
	}
	if len(over) > 0 {
		i.planned(ui.Changed, plural(int64(len(over)), "object"), from+"; its field ownership, labels and annotations are removed:\n"+wrap(named(over)))
	}
	if len(created) > 0 {
		i.planned(ui.Added, fmt.Sprintf("%d more", len(created)), wrap(named(created)))
	}
}
