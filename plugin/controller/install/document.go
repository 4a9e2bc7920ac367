package install

import (
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
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
