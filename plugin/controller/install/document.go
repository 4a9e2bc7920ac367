package install

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// result is the document of `controller install -o json`.
type result struct {
	Namespace string          `json:"namespace"`
	Mode      controller.Mode `json:"mode"` // existing, OLM, by hand
	Version   string          `json:"version,omitempty"`
	From      string          `json:"upgradedFrom,omitempty"`
	Steps     []string        `json:"steps,omitempty"` // versions that an upgrade has passed, the one before it first
	Available string          `json:"available,omitempty"`
	// Versions are what is installed, planned and in the catalog before the run.
	Versions *controller.Versions `json:"versions,omitempty"`
	Identity string               `json:"identity,omitempty"`
	Role     string               `json:"role,omitempty"` // ARN
	Reach    *reachResult         `json:"reach,omitempty"`
	Existing []string             `json:"existing,omitempty"`
	Helm     string               `json:"helm,omitempty"` // the command that installs the controller
	// Exempt are the controllers that the admission policy does not check, and
	// Refused the existing Buckets that it refuses from now on.
	Exempt  []string                   `json:"exempt,omitempty"`
	Refused []controller.RefusedBucket `json:"refusedBuckets,omitempty"`
	// Notes and Warnings are what the plan says besides, also where it is not executed:
	// for example that the Buckets that the policy refuses could not be listed.
	Notes     []string          `json:"notes,omitempty"`
	Warnings  []warning         `json:"warnings,omitempty"`
	DryRun    session.DryRun    `json:"dryRun,omitempty"`
	Changes   []announce.Change `json:"changes"`
	Approved  []string          `json:"approved,omitempty"`  // InstallPlans
	Restarted []string          `json:"restarted,omitempty"` // pods
	Ready     bool              `json:"ready"`
	Seconds   float64           `json:"durationSeconds"`
}

// warning is a sentence, and what to do about it.
type warning struct {
	Text string `json:"text"`
	Next string `json:"next,omitempty"`
}

func document(c *run) result {
	document := result{
		Namespace: c.facts.Namespace.Value, Mode: c.plan.Mode, Version: controller.VersionOf(c.plan.Version.CSV), From: c.plan.Version.From, Available: c.plan.Version.Available,
		Steps: c.done.Steps, Versions: c.plan.Version.Versions,
		Identity: string(c.plan.Identity), Changes: changes(c),
		Exempt: c.plan.Admission.Exempt, Refused: c.plan.Admission.Refused,
		Approved: c.done.Approved, Restarted: c.done.Restarted, Ready: c.ready,
		Seconds: c.Now().Sub(c.started).Seconds(),
	}
	say(c, &document)
	if c.request.DryRun != session.DryRunNone {
		document.DryRun = c.request.DryRun
	}
	for _, other := range c.plan.Found().Others() {
		document.Existing = append(document.Existing, other.String())
	}
	if c.plan.Role != nil {
		document.Role = c.plan.Role.Role.ARN
	}
	if c.plan.AwaitsHelm() {
		document.Helm = helmLine(c)
	}
	return document
}

// say adds what the plan says in words.
func say(c *run, document *result) {
	document.Notes = notes(c)
	for _, one := range warnings(c) {
		document.Warnings = append(document.Warnings, warning{one.What, one.Next})
	}
	if document.Reach = reachDocument(c.plan.Reach); document.Reach != nil {
		document.Reach.Assumed = c.assumed
	}
}

// changes lists what the plan changes.
func changes(c *run) []announce.Change {
	changes := []announce.Change{}
	if c.plan.MakesNamespace {
		changes = append(changes, announce.Change{Object: "Namespace " + c.facts.Namespace.Value, Action: apply.Create})
	}
	if c.plan.Version.From != "" {
		changes = append(changes, announce.Change{Object: "InstallPlans up to " + c.plan.Version.CSV, Action: apply.Update})
	}
	if c.plan.Role != nil {
		changes = append(changes, announce.RoleChanges(c.plan.Role.Role.ARN, c.plan.Role.Steps)...)
	}
	return append(changes, announce.ObjectChanges(c.plan.Objects)...)
}

// reachResult is the reach in a document.
type reachResult struct {
	Text     string       `json:"text"`
	Meaning  string       `json:"meaning"`
	Change   string       `json:"change,omitempty"`
	Assumed  bool         `json:"assumed,omitempty"` // no pattern was given: the plan continues with one
	Any      bool         `json:"anyBucket"`
	Policy   string       `json:"policy,omitempty"` // that gives every bucket
	Patterns []string     `json:"patterns,omitempty"`
	Unknown  string       `json:"unknown,omitempty"`
	Count    *bucketCount `json:"buckets,omitempty"` // absent: not known
	Stopping []string     `json:"stopSyncing,omitempty"`
}

// bucketCount is how many of the account's buckets are reached.
type bucketCount struct {
	Reached  int `json:"reached"`
	Existing int `json:"existing"`
}

func reachDocument(r *controller.Reach) *reachResult {
	if r == nil {
		return nil
	}
	d := &reachResult{
		Text: reachText(r), Meaning: reachMeaning(r), Change: reachChange(r), Any: r.Any, Policy: r.By,
		Patterns: r.Patterns, Unknown: r.Unknown, Stopping: r.Stopping,
	}
	if r.Uncounted == "" {
		d.Count = &bucketCount{Reached: r.Covered, Existing: r.Existing}
	}
	return d
}

// choosePattern asks for the bucket pattern of a role that has none. Enter is for the
// pattern of the projects that install --new-project names, or, for the project that is to
// be installed with it and that has another name, its one bucket. A dry run, which
// touches nothing, continues with the one that would be offered, and says so: what a
// run needs is what a dry run is asked for.
func (c *run) choosePattern(ctx context.Context, exists bool) (pattern, note string, err error) {
	offered := render.PatternForBucket(cmp.Or(c.bucket, render.OwnBucketPattern))
	switch {
	case c.request.Ask == nil && c.request.DryRun != session.DryRunNone:
		c.assumed = true
		return offered, "no --bucket-pattern was given: this plan assumes " + offered + "; without a terminal the installation itself needs the flag", nil
	case c.request.Ask == nil:
		return "", "", iam.NoBucketPattern(exists)
	}
	c.UI.Line("The controller's role needs a pattern of the buckets that it may manage. The controller can change the policy of every bucket that the")
	c.UI.Linef("pattern matches, and with it who reads its objects. %s is for the projects that install --new-project names,", iam.OwnBucketPattern)
	c.UI.Linef("%s for projects of any name.", iam.AnyProjectPattern)
	answer, err := c.request.Ask(ctx, "bucket pattern ["+offered+"]: ")
	if err != nil {
		return "", "", err
	}
	return cmp.Or(strings.TrimSpace(answer), offered), "", nil
}

// tellReach says which S3 buckets the controller reaches, and what that means.
func tellReach(c *run) {
	r := c.plan.Reach
	if r == nil {
		return
	}
	text := plain.InLine(reachText(r))
	if r.Any {
		text = c.UI.Strong(text)
	}
	c.UI.Linef("reach     %s", text)
	c.UI.Linef("          %s", reachMeaning(r))
	if change := reachChange(r); change != "" {
		c.UI.Linef("          %s", plain.InLine(change))
	}
}

// keptReach reports whether the role covers every bucket though you gave no pattern.
func keptReach(c *run) bool {
	p, given := c.plan, c.request.Role
	return p.Role != nil && p.Reach != nil && p.Reach.Any && given.BucketPattern == "" && given.PolicyARN == ""
}

// reachText is the reach in one sentence.
func reachText(r *controller.Reach) string {
	text := r.Text(r.Account)
	switch {
	case !r.Any && r.Unknown != "":
		return text
	case r.Uncounted != "":
		return text + "; how many exist today is not known: " + r.Uncounted
	}
	return text + fmt.Sprintf(": %d of %d buckets that exist today", r.Covered, r.Existing)
}

// reachMeaning is what follows from the reach.
func reachMeaning(r *controller.Reach) string {
	who := "a Bucket in a project can configure the S3 buckets of its own project only"
	if !r.Confined {
		who = "this cluster cannot keep a Bucket to the S3 buckets of its own project: a Bucket can configure every bucket that the controller reaches"
	}
	return who + "; the controller can change the policy of each bucket that it reaches, and with it who reads its objects"
}

// reachChange is what changes about the reach, "" if nothing does.
func reachChange(r *controller.Reach) string {
	switch {
	case r.Before == "":
		return ""
	case !r.Narrows:
		return "wider than before: the pattern was " + r.Before
	case r.Unseen != "":
		return "narrower than before: the pattern was " + r.Before + "; which Buckets stop syncing is not known: " + r.Unseen
	case len(r.Stopping) == 0:
		return "narrower than before: the pattern was " + r.Before + "; no Bucket stops syncing"
	}
	return "narrower than before: the pattern was " + r.Before + "; " + stoppingText(r)
}

func stoppingText(r *controller.Reach) string {
	return phrase.Count(len(r.Stopping), "Bucket") + " would stop syncing: " + strings.Join(r.Stopping, ", ")
}

// withHelm refuses to install the app before you installed the controller with Helm.
func withHelm(c *run, pattern string) error {
	return problem.Refuse("there is no ACK S3 controller, and this cluster has no Operator Lifecycle Manager to install it",
		"without OLM, you install it with Helm, after its role and permissions are created",
		advice.NewController(pattern)+"\n"+helmLine(c)+"\nthen the same command again").See("docs/controller.md")
}

// mustReach refuses a controller whose role cannot manage the bucket of the project
// that is installed with it. A pattern that you gave and that does not match is wrong
// input; what the role, or its permissions boundary, allows already is not. A role that
// is not managed by ostoy-s3 keeps its policies, whatever pattern you gave.
func mustReach(c *run) error {
	r, bucket := c.plan.Reach, c.bucket
	if r == nil || bucket == "" || r.Unknown != "" || r.Covers(bucket) {
		return nil
	}
	given, managed := c.request.Role.BucketPattern, c.plan.Role != nil
	e := problem.Refuse("the controller's role cannot manage the bucket "+bucket,
		"it reaches "+r.Text(r.Account),
		check.WidenRole(managed, bucket, r.Reach))
	if managed && given != "" && !iam.MatchPattern(given, bucket) {
		pattern := bucket
		if !c.plan.Role.Creates() {
			pattern = cmp.Or(iam.WiderPattern([]string{given}, bucket), bucket)
		}
		e.Kind = problem.Usage
		e.What = advice.Command("--bucket-pattern", given) + " does not match " + bucket + ", the bucket of the project"
		e.Next = "a pattern that matches it, such as " + advice.Command("--bucket-pattern", pattern)
	}
	return e
}
