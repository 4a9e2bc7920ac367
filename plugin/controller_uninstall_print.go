package plugin

import (
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

// lines are the parts of the removal as the app's uninstall prints its own.
func (c *controllerRemoval) lines() []*line {
	var lines []*line
	for _, p := range c.removal.Parts() {
		l := &line{Object: p.Object, Why: p.Why, Next: p.Next, fate: fate(p.Fate), done: p.Done, item: &apply.Item{Ref: p.Ref}}
		switch p.Subject {
		case controller.TheBucket:
			l.about = theBucketObject
		case controller.TheObject, controller.TheVersion, controller.TheLeftover, controller.TheType:
			l.about = anObject
		case controller.TheInventory:
			l.about = theInventory
		case controller.TheNamespace:
			l.about = theProject
		default:
			l.about = theRole // by its name, as remarks are
		}
		lines = append(lines, l)
	}
	return lines
}

// announce prints where this is about to happen, and the plan.
func (c *controllerRemoval) announce() {
	rows := []ui.Row{{Label: "namespace", Text: c.namespace.Value, From: c.namespace.Source}}
	if c.detected.Caller != "" {
		rows = append(rows, ui.Row{
			Label: "account", Text: c.facts.Account.Value + ", as " + c.detected.Caller, From: c.facts.Account.Source,
		})
	}
	if c.facts.Issuer.Known() {
		rows = append(rows, ui.Row{Label: "issuer", Text: c.facts.Issuer.Value, From: c.facts.Issuer.Source})
	}
	c.UI.Rows(rows)
	for _, note := range c.removal.Notes {
		c.UI.Warn(inLine(note), "")
	}
	if !c.request.DryRun && !c.removal.Empty() {
		c.UI.Line("")
		c.fates(c.lines(), map[fate]string{fateRemoved: "to remove", fateKept: "to keep", fateLeft: "for you"})
		c.UI.Line("")
	}
}

// conclude prints what became of everything, and is an error where something that
// was to go could not.
func (c *controllerRemoval) conclude() error {
	lines := c.lines()
	switch {
	case c.request.DryRun && !c.removal.Empty():
		c.fates(lines, map[fate]string{fateRemoved: "would remove", fateKept: "would keep", fateLeft: "for you"})
		c.UI.Line("nothing was changed: this was a dry run")
	case c.removal.Empty() && len(withFate(lines, fateLeft)) == 0:
		c.fates(lines, map[fate]string{fateKept: "kept"})
		c.UI.Line("nothing to remove")
	default:
		c.fates(lines, map[fate]string{fateRemoved: "removed", fateKept: "kept", fateLeft: "left for you"})
	}
	if err := c.print(lines); err != nil {
		return err
	}
	return leftovers(lines)
}

func (c *controllerRemoval) print(lines []*line) error {
	if c.request.Output != FormatJSON {
		return nil
	}
	return c.WriteJSON(uninstallDocument(c.namespace.Value, c.request.DryRun, lines, c.Now().Sub(c.started)))
}

// doneSoFar says what a run that was cut off has done.
func (c *controllerRemoval) doneSoFar() string {
	if c.removal == nil {
		return removedSoFar("")
	}
	return removedSoFar(doneOf(c.lines()))
}
