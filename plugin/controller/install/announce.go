package install

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// tell prints what is about to be done.
func tell(c *run) {
	tellNotes(c)
	if !c.plan.Changed() {
		return
	}
	tellReach(c)
	c.UI.Line("")
	c.UI.Line("Plan")
	tellSteps(c)
	c.UI.Line("")
}

// tellNotes tells what is there already, and what the reader may want to do
// about it.
func tellNotes(c *run) {
	p := c.plan
	for _, other := range p.Found().Others() {
		c.UI.Linef("found     %s", plain.InLine(described(other)))
	}
	if p.Version.Available != "" {
		c.UI.Linef("note      controller %s is available: %s", advice.Version(p.Version.Available), advice.Command("oc ostoy-s3 controller install --upgrade", advice.ControllerIn(c.facts.Namespace.Value)...))
	}
	for _, note := range notes(c) {
		c.UI.Linef("note      %s", plain.InLine(note))
	}
	for _, warning := range warnings(c) {
		c.UI.Warn(plain.InLine(warning.What), warning.Next)
	}
}

// notes are the sentences about the plan that are no warnings.
func notes(c *run) []string {
	notes := slices.Clone(c.plan.Notes)
	if c.plan.Mode == controller.ByHand {
		notes = append(notes, byHandNote(c.facts.Namespace.Value, c.plan.MakesNamespace))
	}
	return notes
}

// warnings are those about the role and about the admission policy.
func warnings(c *run) []controller.Warning {
	var all []controller.Warning
	p := c.plan
	if p.Role != nil {
		for _, note := range p.Role.Notes {
			all = append(all, controller.Warning{What: note})
		}
	}
	if p.Drift != "" { // somebody changed which buckets the role reaches
		all = append(all, controller.Warning{What: p.Drift})
	}
	if keptReach(c) {
		all = append(all, controller.Warning{
			What: "the controller's role reaches " + p.Reach.Text(p.Reach.Account) + ": you gave no --bucket-pattern, so its pattern and its other policies are kept",
			Next: "to limit it: " + advice.Command("oc ostoy-s3 controller install", append(advice.ControllerIn(c.facts.Namespace.Value), "--bucket-pattern", iam.OwnBucketPattern)...),
		})
	}
	return append(all, p.Admission.Warnings...)
}

// tellSteps prints the lines of the plan.
func tellSteps(c *run) {
	if c.plan.MakesNamespace {
		c.UI.Plan(ui.Added, "namespace", c.facts.Namespace.Value)
	}
	tellController(c)
	if c.plan.Role != nil {
		announce.Role(c.UI, c.plan.Role)
	}
	tellAdmission(c)
	tellObjects(c)
}

// described is a controller as its finder tells of it.
func described(c ack.Controller) string {
	version := cmp.Or(c.VersionText(), "of unknown version")
	state := "it is used as it is"
	if !controller.Serves(c) {
		state = "not managed by ostoy-s3, and not available"
	}
	return fmt.Sprintf("the ACK S3 controller %s, installed by %s (%s): %s", version, c.Installer.By(), c, state)
}

// tellController tells of the version, where one is to come.
func tellController(c *run) {
	p := c.plan
	switch {
	case p.Version.From != "":
		c.UI.Plan(ui.Changed, "operator", plain.InLine(upgradeText(p)))
	case p.Mode == controller.ByOLM && p.Objects.Wrote("Subscription", operator.SubscriptionName):
		c.UI.Plan(ui.Added, "operator", plain.InLine(controller.VersionOf(p.Version.CSV)+" by OLM; the InstallPlan that names it is approved, no other"))
		c.UI.Detail(identityText(c))
	case p.Version.Finishes:
		c.UI.Plan(ui.Changed, "operator", plain.InLine(controller.VersionOf(p.Version.CSV)+" by OLM, which an earlier run asked for; the InstallPlan that names it is approved, no other"))
	}
}

// upgradeText says from where to where an upgrade goes. Which versions come in
// between is OLM's to say, one after the other.
func upgradeText(p *controller.Plan) string {
	how := "by its InstallPlan"
	if p.Version.Versions == nil || p.Version.Versions.Planned != controller.VersionOf(p.Version.CSV) {
		how = "one InstallPlan after another, each approved as OLM plans it"
	}
	return fmt.Sprintf("%s → %s, %s", p.Version.From, controller.VersionOf(p.Version.CSV), how)
}

func identityText(c *run) string {
	if c.plan.Identity == operator.Annotation {
		return "its role by the annotation of its service account, which the pod identity webhook reads"
	}
	return "its role by the pod's own token volume (in the Subscription's config, which OLM keeps)"
}

func tellObjects(c *run) {
	var created []apply.Ref
	for _, item := range c.plan.Objects.All() {
		if item.Action == apply.Create {
			if !controller.IsAdmission(item.Ref) {
				created = append(created, item.Ref)
			}
			continue
		}
		announce.Item(c.UI, item)
	}
	if len(created) > 0 {
		c.UI.Plan(ui.Added, phrase.Count(len(created), "object"), announce.Wrap(announce.ByKind(created)))
	}
}

// tellAdmission names the admission policy and its binding where they are
// created, and the Buckets that the policy refuses from then on. How they are changed
// is among the other objects.
func tellAdmission(c *run) {
	var created []string
	changed := false
	for _, item := range c.plan.Objects.Items {
		if !controller.IsAdmission(item.Ref) {
			continue
		}
		if item.Action == apply.Create {
			created = append(created, item.Ref.String())
		}
		changed = changed || item.Action != apply.Unchanged
	}
	if len(created) > 0 {
		c.UI.Plan(ui.Added, "policy", strings.Join(created, ",\n"))
		exempt := append(append([]string{}, c.plan.Admission.Exempt...), "everybody with the verb bypass on the policy")
		c.UI.Detail("keeps a Bucket to the S3 buckets of its own project")
		c.UI.Detail("exempt  " + strings.Join(plain.InLines(exempt), "\n        "))
	}
	if changed {
		tellRefused(c, c.plan.Admission.Refused)
	}
}

// tellRefused lists existing Buckets that break the rules of the policy.
func tellRefused(c *run, refused []controller.RefusedBucket) {
	const most = 20
	if len(refused) == 0 {
		return
	}
	c.UI.Warn("The admission policy refuses "+phrase.Count(len(refused), "existing Bucket")+" from now on. They still sync and can be deleted, "+
		"but project admins and editors cannot change their spec or create them again:", "")
	for _, bucket := range refused[:min(most, len(refused))] {
		c.UI.Line("    " + plain.InLine("Bucket "+bucket.Namespace+"/"+bucket.Name+": "+strings.Join(bucket.Why, "; ")))
	}
	if n := len(refused) - most; n > 0 {
		c.UI.Linef("    and %d more (-o json lists all)", n)
	}
}

// byHandNote is what a plan that installs no controller says of itself. makes says that
// it creates the namespace.
func byHandNote(namespace string, makes bool) string {
	what := "only the role and the permissions of the controller in namespace " + namespace + " are managed here"
	if makes {
		what = "only the namespace " + namespace + ", the role and the permissions of the controller are created"
	}
	return "the cluster has no Operator Lifecycle Manager: " + what +
		"; you install the controller itself with Helm, with the command that is printed"
}
