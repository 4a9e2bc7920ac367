package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// announce prints what is about to be done.
func (c *controllerRun) announce() {
	c.announceNotes()
	if !c.plan.Changed() {
		return
	}
	c.announceReach()
	c.UI.Line("")
	c.UI.Line("Plan")
	c.announceSteps()
	c.UI.Line("")
}

// announceNotes tells what is there already, and what the reader may want to do
// about it.
func (c *controllerRun) announceNotes() {
	p := c.plan
	for _, other := range p.Found().Others() {
		c.UI.Linef("found     %s", inLine(described(other)))
	}
	if p.Available != "" {
		c.UI.Linef("note      controller %s is available: %s", advice.Version(p.Available), advice.Command("oc ostoy-s3 controller install --upgrade"))
	}
	for _, note := range c.notes() {
		c.UI.Linef("note      %s", inLine(note))
	}
	for _, warning := range c.warnings() {
		c.UI.Warn(inLine(warning.What), warning.Next)
	}
}

// notes are the sentences about the plan that are no warnings.
func (c *controllerRun) notes() []string {
	notes := slices.Clone(c.plan.Notes)
	if c.plan.Mode == controller.ByHand {
		notes = append(notes, byHandNote(c.facts.Namespace.Value, c.plan.MakesNamespace))
	}
	return notes
}

// warnings are those about the role and about the admission policy.
func (c *controllerRun) warnings() []controller.Warning {
	var all []controller.Warning
	if c.plan.Role != nil {
		for _, note := range c.plan.Role.Notes {
			all = append(all, controller.Warning{What: note})
		}
	}
	return slices.Concat(all, c.drifted(), c.keptReach(), c.plan.Admission.Warnings)
}

// announceSteps prints the lines of the plan.
func (c *controllerRun) announceSteps() {
	if c.plan.MakesNamespace {
		c.planned(ui.Added, "namespace", c.facts.Namespace.Value)
	}
	c.announceController()
	if c.plan.Role != nil {
		c.announceRolePlan(c.plan.Role)
	}
	c.announceAdmission()
	c.announceControllerObjects()
}

// described is a controller as its finder tells of it.
func described(c ack.Controller) string {
	version := c.VersionText()
	if version == "" {
		version = "of unknown version"
	}
	state := "it is used as it is"
	if !controller.Serves(c) {
		state = "not managed by ostoy-s3, and not available"
	}
	return fmt.Sprintf("the ACK S3 controller %s, installed by %s (%s): %s", version, c.Installer.By(), c, state)
}

// announceController tells of the version, where one is to come.
func (c *controllerRun) announceController() {
	p := c.plan
	switch {
	case p.From != "":
		c.planned(ui.Changed, "operator", inLine(upgradeText(p)))
	case p.Mode == controller.ByOLM && p.Objects.Wrote("Subscription", operator.SubscriptionName):
		c.planned(ui.Added, "operator", inLine(controller.VersionOf(p.CSV)+" by OLM; the InstallPlan that names it is approved, no other"))
		c.details(c.identityText())
	case p.Finishes:
		c.planned(ui.Changed, "operator", inLine(controller.VersionOf(p.CSV)+" by OLM, which an earlier run asked for; the InstallPlan that names it is approved, no other"))
	case p.Mode == controller.ByChart:
		c.announceChart()
	}
}

// upgradeText says from where to where an upgrade goes. Which versions come in
// between is OLM's to say, one after the other.
func upgradeText(p *controller.Plan) string {
	how := "by its InstallPlan"
	if p.Versions == nil || p.Versions.Planned != controller.VersionOf(p.CSV) {
		how = "one InstallPlan after another, each approved as OLM plans it"
	}
	return fmt.Sprintf("%s → %s, %s", p.From, controller.VersionOf(p.CSV), how)
}

// announceChart tells of the chart where its Deployment is made or changed.
func (c *controllerRun) announceChart() {
	name, mark := c.chart.Name()+" "+c.chart.Version(), ui.Changed
	mine := c.plan.Found().Mine()
	switch {
	case len(mine) == 0:
		mark = ui.Added
	case mine[0].VersionText() != "" && mine[0].VersionText() != c.chartVersion():
		name += fmt.Sprintf("   controller %s → %s", mine[0].VersionText(), c.chartVersion())
	case !c.plan.Objects.Changed():
		return
	}
	c.planned(mark, "chart", inLine(name))
	if mark == ui.Added {
		c.details(c.identityText())
	}
}

// chartVersion is the version of the controller that the chart brings.
func (c *controllerRun) chartVersion() string {
	version := strings.TrimPrefix(cmp.Or(c.chart.AppVersion(), c.chart.Version()), "v")
	return advice.Version(version).String()
}

func (c *controllerRun) identityText() string {
	switch {
	case c.plan.Identity == operator.Annotation:
		return "its role by the annotation of its service account, which the pod identity webhook reads"
	case c.plan.Mode == controller.ByChart:
		return "its role by the pod's own token volume"
	}
	return "its role by the pod's own token volume (in the Subscription's config, which OLM keeps)"
}

func (c *controllerRun) announceControllerObjects() {
	var created []apply.Ref
	for _, item := range c.plan.Objects.All() {
		if item.Action == apply.Create {
			if !controller.IsAdmission(item.Ref) {
				created = append(created, item.Ref)
			}
			continue
		}
		c.announceItem(item)
	}
	if len(created) > 0 {
		c.planned(ui.Added, plural(int64(len(created)), "object"), wrap(byKind(created)))
	}
}

// execute does what the plan says, and follows it to the end.
func (c *controllerRun) execute(ctx context.Context) error {
	told := func(state health.State) { c.board.Set(c.row(state.Name), markOf(state), inLine(state.Text)) }
	if err := c.plan.Execute(ctx, &c.done, told); err != nil {
		return c.conn.Translate(err)
	}
	if text := summary(c.done.Objects); text != "" {
		c.board.Set(c.row("objects"), ui.Done, text)
	}
	if !c.request.Wait {
		return nil
	}
	// Where nothing was to be done, only what is wrong is told, and how it ends.
	quiet := !c.plan.Changed() && c.plan.Mode != controller.Used
	err := c.plan.Follow(ctx, &c.done, func(state health.State) {
		if quiet = quiet && state.Level == health.Info; !quiet {
			told(state)
		}
	})
	c.ready = err == nil && c.plan.Mode != controller.ByHand
	if c.plan.Changed() { // the cluster serves Buckets now
		c.conn.Forget()
	}
	return err
}

// row is the line of the board that a thing has: beside an app's install the
// names of both must differ.
func (c *controllerRun) row(name string) string {
	if c.beside && (name == "role" || name == "objects") {
		return "controller's " + name
	}
	return name
}

// conclude says the last word, in words or as a document.
func (c *controllerRun) conclude(changed bool, failure error) error {
	if failure == nil {
		failure = c.farewell(changed)
	} else if text := c.doneSoFar(); text != nothingChanged {
		c.UI.Line(text)
	}
	return errors.Join(c.print(), failure)
}

func (c *controllerRun) farewell(changed bool) error {
	switch {
	case c.plan.Mode == controller.ByHand:
		return c.byHand()
	case !changed && len(c.done.Restarted) == 0:
		c.UI.Linef("nothing to change (%.1fs)", c.Now().Sub(c.started).Seconds())
	case !c.request.Wait:
		c.UI.Line("applied, not waited for: the same command with --wait says when it runs")
	}
	return nil
}

// doneSoFar says what a run that was cut off has done.
func (c *controllerRun) doneSoFar() string {
	var done []string
	if c.done.Namespace {
		done = append(done, "namespace "+c.facts.Namespace.Value+" created")
	}
	if n := len(c.done.Role); n > 0 {
		done = append(done, fmt.Sprintf("role %s: %d of %d steps", c.plan.Role.Role.Name, n, max(n, len(c.plan.Role.Steps))))
	}
	if text := summary(c.done.Objects); text != "" {
		done = append(done, "objects: "+text)
	}
	if len(c.done.Steps) > 1 {
		done = append(done, "upgraded "+strings.Join(c.done.Steps, " → "))
	}
	for _, name := range c.done.Approved {
		done = append(done, "InstallPlan "+name+" approved")
	}
	if len(done) == 0 {
		return nothingChanged
	}
	return stays + strings.Join(done, "; ")
}

func (c *controllerRun) reportDryRun() error {
	if c.plan.Changed() {
		c.UI.Line("nothing was changed: this was a dry run")
	} else {
		c.UI.Linef("nothing to change (%.1fs)", c.Now().Sub(c.started).Seconds())
	}
	return c.print()
}
