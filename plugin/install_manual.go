package plugin

import (
	"context"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/manual"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// onlyLooks reports whether the run persists nothing, not even a project.
func (i *install) onlyLooks() bool {
	return i.request.DryRun != DryRunNone || i.request.Mode == ModeManual
}

// printManual prints what the run would do as a script, and does none of it.
// There is none where there is nothing to do; the inventory alone may be what is.
func (i *install) printManual(ctx context.Context) error {
	writes := i.plan.Writes()
	if i.nothingToDo() && len(writes) == 0 && !i.request.Use {
		i.UI.Linef("nothing to change, and so nothing to run (%s)", i.took())
		return nil
	}
	source, err := i.manualSource(ctx)
	if err != nil {
		return err
	}
	source.Writes = writes
	script, err := manual.Print(source)
	if err != nil {
		return err
	}
	i.warnOfDrops(writes)
	i.warnOfOwners()
	if i.nothingToDo() && len(writes) > 0 {
		i.UI.Line("nothing to change but the inventory, the record of what belongs to the install")
	}
	i.UI.Line("nothing was changed: the script on stdout does it")
	return i.WriteData(script)
}

// warnOfDrops tells where kubectl does more to an object than install would.
func (i *install) warnOfDrops(writes []apply.Write) {
	for _, write := range writes {
		if len(write.Drops) > 0 {
			i.UI.Warn(inLine(write.Ref.String()+" was created with client-side apply: the script removes "+strings.Join(write.Drops, ", ")+" from it, which install keeps"),
				"run install without --mode manual, or put that into the values")
		}
	}
}

// warnOfOwners names what --force-owner does and the script does not.
func (i *install) warnOfOwners() {
	var refs []apply.Ref
	for _, item := range i.plan.Items {
		if item.Takes() {
			refs = append(refs, item.Ref)
		}
	}
	if len(refs) > 0 {
		i.UI.Warn("the script leaves the other manager on "+strings.Join(named(refs), ", "),
			advice.Command("oc ostoy-s3 install", "-n", i.facts.Namespace.Value, "--force-owner")+" removes its field ownership, labels and annotations")
	}
}

// manualSource is the run as package manual prints it, without what is written.
func (i *install) manualSource(ctx context.Context) (manual.Source, error) {
	source := manual.Source{
		Tool: manual.Kubectl, Flags: i.request.ToolFlags, Profile: i.request.Facts.Profile, Facts: i.facts, Role: i.role,
		Wait: i.request.Wait, Timeout: i.request.Timeout, Verify: i.request.Wait && i.request.Verify, Expose: exposing(i.objects),
	}
	object, err := i.projectObject(ctx)
	if err != nil {
		return source, err
	}
	source.Mark = manual.Mark{Field: `metadata.labels.app\.kubernetes\.io/managed-by`, Value: render.ManagedBy}
	if object.GetKind() == "ProjectRequest" {
		source.Tool = manual.OC
		source.Mark = manual.Mark{Field: `metadata.annotations.openshift\.io/description`, Value: madeByUs(i.facts.Namespace.Value)}
	}
	if !i.project.exists {
		source.Project = object
	}
	if i.request.Use {
		source.Use = i.conn.Context()
	}
	// An address with a user in it is not shown, and so not compared either.
	if host := i.conn.Host(); host == i.conn.Config().Host && i.conn.Context() != "" {
		source.Server = host
	}
	return source, nil
}
