package plugin

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

// execute carries out the plan. The inventory comes before the first object it
// lists. A role that is created comes before the Bucket resource: an S3 bucket that is
// older than its role was not created by install, which uninstall relies on. A role that
// exists is updated beside the first wave; the other waves follow when both are done.
// Health is not waited for between waves: the manifests order themselves.
func (i *install) execute(ctx context.Context) error {
	if err := i.plan.WriteInventory(ctx, !i.role.Empty()); err != nil {
		return i.conn.Translate(err)
	}
	waves := i.plan.Waves()
	group, groupCtx := errgroup.WithContext(ctx)
	if i.role.Creates() {
		if err := i.executeRole(ctx); err != nil {
			return err
		}
	} else {
		group.Go(func() error { return i.executeRole(groupCtx) })
	}
	group.Go(func() error { return i.applyWaves(groupCtx, waves, 0, 1) })
	if err := group.Wait(); err != nil {
		return err
	}
	if err := i.applyWaves(ctx, waves, 1, len(waves)); err != nil {
		return err
	}
	if err := i.plan.Prune(ctx, i.applied); err != nil {
		return i.conn.Translate(err)
	}
	if text := summary(i.done); text != "" {
		i.board.Set("objects", ui.Done, text)
	}
	return nil
}

func (i *install) executeRole(ctx context.Context) error {
	if i.role.Empty() {
		return nil
	}
	i.board.Set("role", ui.Busy, i.role.Role.Name)
	done, err := iam.Execute(ctx, i.roles, i.role)
	i.roleDone = &done
	switch {
	case err != nil:
		i.board.Set("role", ui.Failed, "not as it should be")
		return err
	case done.Created:
		i.board.Set("role", ui.Done, "created")
	case len(done.Done) == 0:
		i.board.Set("role", ui.Warned, "not tagged")
	default:
		i.board.Set("role", ui.Done, "updated: "+whatOf(done.Done))
	}
	return nil
}

// warnOfTags says that the role did not get the tags that earlier versions did not set.
func (i *install) warnOfTags() {
	if i.roleDone == nil {
		return
	}
	if what, next := i.roleDone.Untagged.Warning(); what != "" {
		i.UI.Warn(inLine(what), next)
	}
}

// roleStepsDone are the steps that changed the role.
func (i *install) roleStepsDone() []iam.Step {
	if i.roleDone == nil {
		return nil
	}
	return i.roleDone.Done
}

// whatOf names what steps have changed: "trust policy, tags".
func whatOf(steps []iam.Step) string {
	var names []string
	for _, step := range steps {
		names = append(names, step.What)
	}
	return strings.Join(names, ", ")
}

// applyWaves applies the waves from (included) to to (excluded).
func (i *install) applyWaves(ctx context.Context, waves [][]*apply.Item, from, to int) error {
	for n := from; n < min(to, len(waves)); n++ {
		if err := i.plan.ApplyWave(ctx, n, i.applied); err != nil {
			return i.conn.Translate(err)
		}
	}
	return nil
}

// applied counts what became of one object; apply calls it one at a time.
func (i *install) applied(event apply.Event) {
	if i.done == nil {
		i.done = map[apply.Action]int{}
	}
	i.done[event.Action]++
}

// stopped tells what was done before an error that ends the run, unless the
// run was cut off: then the error's own text will.
func (i *install) stopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		i.UI.Line(i.doneSoFar())
	}
	return err
}

// doneSoFar says what a run that was cut off has done.
func (i *install) doneSoFar() string {
	var done []string
	if i.madeProject {
		done = append(done, "project "+i.facts.Namespace.Value+" created")
	}
	for _, name := range i.leftBehind {
		done = append(done, "project "+name+" created, and not removed again")
	}
	if n := len(i.roleStepsDone()); n > 0 {
		done = append(done, fmt.Sprintf("role %s: %d of %d steps", i.role.Role.Name, n, max(n, len(i.role.Steps))))
	}
	if text := summary(i.done); text != "" {
		done = append(done, "objects: "+text)
	}
	if i.controller != nil && i.controller.doneSoFar() != nothingChanged {
		done = append(done, "the controller: "+strings.TrimPrefix(i.controller.doneSoFar(), stays))
	}
	if len(done) == 0 {
		return nothingChanged
	}
	return stays + strings.Join(done, "; ")
}

// How a run that was cut off begins to tell what it has done.
const (
	nothingChanged = "nothing was changed"
	stays          = "done so far, and staying: "
)

// summary words what was done to the objects, "11 created, 1 updated".
func summary(counts map[apply.Action]int) string {
	text := ""
	for _, part := range []struct {
		action apply.Action
		word   string
	}{{apply.Create, "created"}, {apply.Update, "updated"}, {apply.Delete, "removed"}} {
		if n := counts[part.action]; n > 0 {
			if text != "" {
				text += ", "
			}
			text += fmt.Sprintf("%d %s", n, part.word)
		}
	}
	return text
}
