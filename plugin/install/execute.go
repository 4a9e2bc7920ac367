package install

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/manual"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// execute carries out the plan. The list of the objects comes before the first of them, and
// the record of what was asked for after it has been done. A role that is created comes
// before the Bucket resource: an S3 bucket that is older than its role was not created by
// install, which uninstall relies on. A role that exists is updated beside the first wave;
// the other waves follow when both are done. Health is not waited for between waves: the
// manifests order themselves.
func (i *run) execute(ctx context.Context, p plan.Plan) error {
	defer i.done.count(p.Objects)
	conn := p.Desired.Project.Conn
	if err := p.Objects.WriteInventory(ctx, !p.Role.Empty()); err != nil {
		return conn.Translate(err)
	}
	if err := i.executeRoleAndFirstWave(ctx, p); err != nil {
		return err
	}
	if err := i.applyWaves(ctx, p, 1, len(p.Objects.Waves())); err != nil {
		return err
	}
	if err := p.Objects.Prune(ctx, i.done.applied); err != nil {
		return conn.Translate(err)
	}
	if text := announce.Counts(i.done.Objects); text != "" {
		i.board.Set("objects", ui.Done, text)
	}
	return nil
}

// executeRoleAndFirstWave does not cut off what was sent when one of the two fails: the
// answers say what was changed.
func (i *run) executeRoleAndFirstWave(ctx context.Context, p plan.Plan) error {
	if p.Role.Creates() {
		failed := i.executeRole(ctx, p)
		if failed == nil || i.done.Role.Created && p.Desired.Project.Inventory.RoleARN == "" {
			failed = cmp.Or(failed, i.recordRole(ctx, p))
		}
		if failed != nil {
			return failed
		}
		return i.applyWaves(ctx, p, 0, 1)
	}
	err := p.Objects.Beside(
		func() error { return i.executeRole(ctx, p) },
		func() error { return i.applyWaves(ctx, p, 0, 1) },
	)
	if err != nil {
		return err
	}
	return i.recordRole(ctx, p)
}

// recordRole records a role that the next run would not find by itself: one with a name or
// a path of the user's.
func (i *run) recordRole(ctx context.Context, p plan.Plan) error {
	role, f := p.Role.Role, p.Desired.Facts()
	if p.Role.Empty() || len(advice.RoleFlags(role.Name, role.Path, render.RoleNames(f.Issuer.Value, f.Namespace.Value)...)) == 0 {
		return nil
	}
	return p.Desired.Project.Conn.Translate(p.Objects.RecordRole(ctx))
}

func (i *run) executeRole(ctx context.Context, p plan.Plan) error {
	if p.Role.Empty() {
		return nil
	}
	name := p.Role.Role.Name
	i.board.Set("role", ui.Busy, name)
	done, err := iam.Execute(ctx, p.Desired.World.Roles, p.Role)
	i.done.Role, i.done.RoleName, i.done.RoleSteps = &done, name, len(p.Role.Steps)
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

// whatOf names what steps have changed: "trust policy, tags".
func whatOf(steps []iam.Step) string {
	var names []string
	for _, step := range steps {
		names = append(names, step.What)
	}
	return strings.Join(names, ", ")
}

// applyWaves applies the waves from (included) to to (excluded).
func (i *run) applyWaves(ctx context.Context, p plan.Plan, from, to int) error {
	for n := from; n < min(to, len(p.Objects.Waves())); n++ {
		if err := p.Objects.ApplyWave(ctx, n, i.done.applied); err != nil {
			return p.Desired.Project.Conn.Translate(err)
		}
	}
	return nil
}

// controllerPart is what this run does about the controller.
func controllerPart(i *run, p project.Project) plan.Controller {
	c := i.request.Controller
	switch {
	case c == nil:
		return plan.ControllerChecked
	case c.Changes():
		return plan.ControllerComes
	case !p.Inventory.Found && !c.LooksAtRole():
		return plan.ControllerChecked
	}
	return plan.ControllerPlanned
}

// controllerComes reports whether this run has something to do about the controller
// before the app.
func controllerComes(i *run) bool {
	return i.request.Controller != nil && i.request.Controller.Changes()
}

// installController brings the controller, or what is missing of it, and waits until the
// cluster serves Buckets.
func installController(ctx context.Context, i *run, p project.Project) error {
	c := i.request.Controller
	if c == nil {
		return nil
	}
	err := c.Execute(ctx)
	i.done.Controller = c.Done()
	if err != nil {
		if i.done.Controller != "" && ctx.Err() == nil {
			i.UI.Line(announce.SoFar([]string{i.done.Controller}, nil))
		}
		return err
	}
	return bucketsServed(ctx, p)
}

// bucketsServed waits for a definition that was made a moment ago.
func bucketsServed(ctx context.Context, p project.Project) error {
	const pause, limit = 250 * time.Millisecond, 30 * time.Second
	err := wait.PollUntilContextTimeout(ctx, pause, limit, true, func(ctx context.Context) (bool, error) {
		served, err := p.Conn.Discovery(ctx)
		if err != nil || served.Serves(check.BucketAPI, "Bucket") {
			return err == nil, err
		}
		p.Conn.Forget()
		return false, nil
	})
	if err == nil || !wait.Interrupted(err) || ctx.Err() != nil {
		return err
	}
	return &problem.Error{
		Kind: problem.NotReady,
		What: "the cluster does not know Buckets, though the controller runs",
		Why:  "its CustomResourceDefinition is not served",
		Next: advice.Command("oc get crd buckets.s3.services.k8s.aws -o yaml"),
	}
}

// printManual prints what the run would do as a script, and does none of it. There is none
// if there is nothing to do; the inventory alone may be what is.
func printManual(ctx context.Context, i *run, p plan.Plan) error {
	writes := p.Objects.Writes()
	if i.nothingToDo(p) && len(writes) == 0 && !i.request.Use {
		i.UI.Linef("nothing to change, and so nothing to run (%s)", took(i))
		return nil
	}
	if slices.ContainsFunc(p.Objects.Items, (*apply.Item).Carries) {
		return problem.Refuse("the settings of bucket "+p.Bucket.Name+" cannot be carried over by a script",
			"they are applied as a second field manager, together with the Bucket resource", "run install without --mode manual")
	}
	source, err := manualSource(ctx, i.request, p)
	if err != nil {
		return err
	}
	if p.Desired.Facts().IssuerPending() {
		return printProjectStep(i, source)
	}
	source.Writes = writes
	script, err := manual.Print(source)
	if err != nil {
		return err
	}
	warnOfDrops(i, writes)
	warnOfOwners(i, p)
	if i.nothingToDo(p) && len(writes) > 0 {
		i.UI.Line("nothing to change but the inventory, the record of what belongs to the install")
	}
	i.UI.Line("nothing was changed: the script on stdout does it")
	return i.WriteData(script)
}

// printProjectStep prints the script that creates the project, and the command that prints
// the rest: the rest depends on an issuer that is known once the project exists.
func printProjectStep(i *run, source manual.Source) error {
	next := advice.Command("oc ostoy-s3 install", append([]string{"-n", source.Facts.Namespace.Value}, i.request.Again...)...)
	script, err := manual.PrintProject(source, next)
	if err != nil {
		return err
	}
	i.UI.Line("nothing was changed: the script on stdout creates the project")
	i.UI.Linef("once it has run, this prints the rest: %s", next)
	return i.WriteData(script)
}

// warnOfDrops says where kubectl does more to an object than install would.
func warnOfDrops(i *run, writes []apply.Write) {
	for _, write := range writes {
		if len(write.Drops) > 0 {
			i.UI.Warn(plain.InLine(write.Ref.String()+" was created with client-side apply: the script removes "+strings.Join(write.Drops, ", ")+" from it, which install keeps"),
				"run install without --mode manual, or put that into the values")
		}
	}
}

// warnOfOwners names what --force-owner does and the script does not.
func warnOfOwners(i *run, p plan.Plan) {
	var refs []apply.Ref
	for _, item := range p.Objects.Items {
		if item.Takes() {
			refs = append(refs, item.Ref)
		}
	}
	if len(refs) > 0 {
		i.UI.Warn("the script leaves the other manager on "+strings.Join(announce.Named(refs), ", "),
			advice.Command("oc ostoy-s3 install", "-n", p.Desired.Project.Name(), "--force-owner")+" removes its field ownership, labels and annotations")
	}
}

// manualSource is the run as package manual prints it, without what is written.
func manualSource(ctx context.Context, r Request, p plan.Plan) (manual.Source, error) {
	there := p.Desired.Project
	source := manual.Source{
		Tool: manual.Tool{Name: manual.Kubectl, Flags: r.ToolFlags}, Profile: r.Facts.Profile, Facts: there.Facts, Role: p.Role,
		Wait: r.Wait, Timeout: r.Timeout, Verify: r.Wait && r.Verify, Expose: exposure.Among(p.Desired.Objects),
	}
	object, err := project.Object(ctx, there.Conn, there.Name())
	if err != nil {
		return source, err
	}
	source.Mark = manual.Mark{Field: `metadata.labels.app\.kubernetes\.io/managed-by`, Value: render.ManagedBy}
	if object.GetKind() == "ProjectRequest" {
		source.Tool.Name = manual.OC
		source.Mark = manual.Mark{Field: `metadata.annotations.openshift\.io/description`, Value: project.Mark(there.Name())}
	}
	if !there.State.Exists {
		source.Project = object
	}
	if r.Use {
		source.Use = there.Conn.Context()
	}
	// An address with a user in it is not shown, and so not compared either.
	if host := there.Conn.Host(); host == there.Conn.Config().Host && there.Conn.Context() != "" {
		source.Tool.Server = host
	}
	return source, nil
}
