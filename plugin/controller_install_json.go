package plugin

import (
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
)

// controllerResult is the document of `controller install -o json`.
type controllerResult struct {
	Namespace string          `json:"namespace"`
	Mode      controller.Mode `json:"mode"` // existing, OLM, chart, by hand
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
	// Exempt are the controllers that the admission policy does not check, and
	// Refused the existing Buckets that it refuses from now on.
	Exempt  []string                   `json:"exempt,omitempty"`
	Refused []controller.RefusedBucket `json:"refusedBuckets,omitempty"`
	// Notes and Warnings are what the plan says besides, also where it is not executed:
	// for example that the Buckets that the policy refuses could not be listed.
	Notes     []string  `json:"notes,omitempty"`
	Warnings  []warning `json:"warnings,omitempty"`
	DryRun    DryRun    `json:"dryRun,omitempty"`
	Changes   []change  `json:"changes"`
	Approved  []string  `json:"approved,omitempty"`  // InstallPlans
	Restarted []string  `json:"restarted,omitempty"` // pods
	Ready     bool      `json:"ready"`
	Seconds   float64   `json:"durationSeconds"`
}

// warning is a sentence, and what to do about it.
type warning struct {
	Text string `json:"text"`
	Next string `json:"next,omitempty"`
}

func (c *controllerRun) print() error {
	if c.request.Output != FormatJSON {
		return nil
	}
	return c.WriteJSON(c.document())
}

func (c *controllerRun) document() controllerResult {
	document := controllerResult{
		Namespace: c.facts.Namespace.Value, Mode: c.plan.Mode, Version: c.version(), From: c.plan.From, Available: c.plan.Available,
		Steps: c.done.Steps, Versions: c.plan.Versions,
		Identity: string(c.plan.Identity), Changes: c.changes(),
		Exempt: c.plan.Admission.Exempt, Refused: c.plan.Admission.Refused,
		Approved: c.done.Approved, Restarted: c.done.Restarted, Ready: c.ready,
		Seconds: c.Now().Sub(c.started).Seconds(),
	}
	c.say(&document)
	if c.request.DryRun != DryRunNone {
		document.DryRun = c.request.DryRun
	}
	for _, other := range c.plan.Found().Others() {
		document.Existing = append(document.Existing, other.String())
	}
	if c.plan.Role != nil {
		document.Role = c.plan.Role.Role.ARN
	}
	return document
}

// say adds what the plan says in words.
func (c *controllerRun) say(document *controllerResult) {
	document.Notes = c.notes()
	for _, one := range c.warnings() {
		document.Warnings = append(document.Warnings, warning{one.What, one.Next})
	}
	if document.Reach = reachDocument(c.plan.Reach); document.Reach != nil {
		document.Reach.Assumed = c.assumed
	}
}

// version is the one that is there at the end, as far as this run decides it.
func (c *controllerRun) version() string {
	if c.plan.Mode == controller.ByChart {
		return c.chartVersion()
	}
	return controller.VersionOf(c.plan.CSV)
}

// changes lists what the plan changes.
func (c *controllerRun) changes() []change {
	changes := []change{}
	if c.plan.MakesNamespace {
		changes = append(changes, change{Object: "Namespace " + c.facts.Namespace.Value, Action: apply.Create})
	}
	if c.plan.From != "" {
		changes = append(changes, change{Object: "InstallPlans up to " + c.plan.CSV, Action: apply.Update})
	}
	if c.plan.Role != nil {
		changes = append(changes, roleChanges(c.plan.Role.Role.ARN, c.plan.Role.Steps)...)
	}
	return append(changes, objectChanges(c.plan.Objects)...)
}
