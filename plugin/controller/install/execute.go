package install

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// mayExecute asks before Buckets stop syncing, and before a controller starts to work on
// the S3 buckets of other projects.
func mayExecute(ctx context.Context, c *run) error {
	if err := mayNarrow(ctx, c); err != nil {
		return err
	}
	planted := c.plan.Planted()
	if len(planted) == 0 || c.request.Yes {
		return nil
	}
	var names []string
	for _, bucket := range planted {
		names = append(names, plain.InLine(bucket.Namespace+"/"+bucket.Name))
	}
	return session.Question{
		About: phrase.Count(len(names), "existing Bucket") + " with the S3 bucket of another project, which the controller changes as soon as it runs: " + strings.Join(names, ", "),
		Word:  "yes", Flags: "--yes, or delete these Buckets first", Nothing: announce.NothingChanged,
	}.Confirm(ctx, c.UI, c.request.Ask)
}

// mayNarrow asks before Buckets stop syncing.
func mayNarrow(ctx context.Context, c *run) error {
	r := c.plan.Reach
	if !r.Asks() || c.request.Yes {
		return nil
	}
	about := "the new bucket pattern no longer covers " + r.Before + ", and which Buckets stop syncing is not known: " + r.Unseen
	if len(r.Stopping) > 0 {
		about = "the new bucket pattern no longer covers " + r.Before + ": " + stoppingText(r)
	}
	return session.Question{About: about, Word: "yes", Flags: "--yes", Nothing: announce.NothingChanged}.Confirm(ctx, c.UI, c.request.Ask)
}

// execute does what the plan says, and follows it to the end.
func (c *run) execute(ctx context.Context) error {
	told := func(state health.State) {
		c.board.Set(row(c, state.Name), announce.Mark(state), plain.InLine(state.Text))
	}
	if err := c.plan.Execute(ctx, &c.done, told); err != nil {
		return c.conn.Translate(err)
	}
	if text := announce.Counts(c.done.Objects); text != "" {
		c.board.Set(row(c, "objects"), ui.Done, text)
	}
	if c.plan.AwaitsHelm() {
		if err := printHelm(c); err != nil {
			return err
		}
	}
	if !c.request.Wait {
		return nil
	}
	// Where nothing was to be done, only what is wrong is told, and how it ends.
	quiet := !c.plan.Changed() && c.plan.Mode != controller.Used && !c.plan.AwaitsHelm()
	err := c.plan.Follow(ctx, &c.done, func(state health.State) {
		if quiet = quiet && state.Level == health.Info; !quiet {
			told(state)
		}
	})
	c.ready = err == nil
	if c.plan.Changed() || c.plan.AwaitsHelm() { // the cluster serves Buckets now
		c.conn.Forget()
	}
	return err
}

// row is the line of the board that a thing has: beside an app's install the
// names of both must differ.
func row(c *run, name string) string {
	if c.bucket != "" && (name == "role" || name == "objects") {
		return "controller's " + name
	}
	return name
}

// conclude says the last word, in words or as a document. The error of a run that was cut
// off says itself what was done, unless it is about what does not become ready.
func (c *run) conclude(changed bool, failure error, cutOff bool) error {
	told, is := errors.AsType[*problem.Error](failure)
	verdict := is && told.Kind != problem.Failed
	switch text := c.doneSoFar(); {
	case failure != nil && text != announce.NothingChanged && (!cutOff || verdict):
		c.UI.Line(text)
	case failure != nil:
	case !changed && len(c.done.Restarted) == 0:
		nothingToChange(c)
	case !c.request.Wait:
		c.UI.Line("applied, not waited for: the same command with --wait says when it runs")
	}
	return errors.Join(c.print(), failure)
}

// print prints the document, if it was asked for.
func (c *run) print() error {
	if c.request.Output != session.FormatJSON {
		return nil
	}
	return c.WriteJSON(document(c))
}

func nothingToChange(c *run) {
	c.UI.Linef("nothing to change (%.1fs)", c.Now().Sub(c.started).Seconds())
}

// doneSoFar says what a run that was cut off has done.
func (c *run) doneSoFar() string { return announce.SoFar(doneOf(c), c.done.Unsure) }

// doneOf lists what a run has done.
func doneOf(c *run) []string {
	var done []string
	if c.done.Namespace {
		done = append(done, "namespace "+c.facts.Namespace.Value+" created")
	}
	if c.done.Inventory {
		done = append(done, "inventory (ConfigMap "+apply.ControllerInventoryName+") written")
	}
	if n := len(c.done.Role); n > 0 {
		done = append(done, fmt.Sprintf("role %s: %d of %d steps", c.plan.Role.Role.Name, n, max(n, len(c.plan.Role.Steps))))
	}
	if text := announce.Counts(c.done.Objects); text != "" {
		done = append(done, "objects: "+text)
	}
	if len(c.done.Steps) > 1 {
		done = append(done, "upgraded "+strings.Join(c.done.Steps, " → "))
	}
	for _, name := range c.done.Approved {
		done = append(done, "InstallPlan "+name+" approved")
	}
	for _, name := range c.done.Restarted {
		done = append(done, "pod "+name+" deleted, to be created again")
	}
	return done
}

func reportDryRun(c *run) error {
	if c.plan.Changed() {
		c.UI.Line("nothing was changed: this was a dry run")
	} else {
		nothingToChange(c)
	}
	return c.print()
}

// printHelm prints the command that installs the controller: on stdout, unless that is for
// a document.
func printHelm(c *run) error {
	if c.request.Output == session.FormatJSON {
		c.UI.Line(helmLine(c))
		return nil
	}
	return c.WriteLine(helmLine(c))
}

// helmLine installs ACK's chart for the role of this run.
func helmLine(c *run) string {
	return advice.From(controller.HelmInstall(c.facts, c.request.Version, "-f"), renderLine(c))
}

// renderLine is what prints the values for ACK's chart, for the same role in the
// same place as this run's.
func renderLine(c *run) string {
	var words []string
	add := func(flag, value string) {
		if value != "" {
			words = append(words, advice.Flag(flag, value)...)
		}
	}
	if c.facts.Namespace.Value != operator.DefaultNamespace {
		add("-n", c.facts.Namespace.Value)
	}
	add("--facts", c.request.Facts.File)
	add("--profile", c.request.Facts.Profile)
	given := c.request.Facts.Given
	for _, fact := range []render.Fact{given.Region, given.Account, given.Partition, given.Issuer, given.Audience} {
		if flag, typed := strings.CutPrefix(fact.Source, "flag "); typed {
			add(flag, fact.Value)
		}
	}
	add("--identity", c.request.Identity)
	words = append(words, advice.RoleFlags(c.request.Role.Name, c.request.Role.Path)...)
	return advice.Command("oc ostoy-s3 controller render --values", words...)
}
