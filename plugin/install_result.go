package plugin

import (
	"errors"
	"fmt"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/verify"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// installResult is the document of `install -o json`.
type installResult struct {
	Namespace string       `json:"namespace"`
	Bucket    string       `json:"bucket"`
	Role      string       `json:"role"` // ARN
	DryRun    DryRun       `json:"dryRun,omitempty"`
	Changes   []change     `json:"changes"`
	Kept      []string     `json:"kept,omitempty"` // data that is no longer part of the set and stays
	Ready     bool         `json:"ready"`
	States    []wait.State `json:"states,omitempty"` // where not ready
	URL       string       `json:"url,omitempty"`
	Access    string       `json:"access"` // who reaches what through the app
	// Adopted is what was brought in, or would be, with --adopt.
	Adopted *adoption `json:"adopted,omitempty"`
	// Controller is what became of it, with --with-controller.
	Controller *controllerResult `json:"controller,omitempty"`
	Proof      *verify.Report    `json:"verification,omitempty"` // unless --verify=false
	Seconds    float64           `json:"durationSeconds"`
}

// change is one thing an install changes.
type change struct {
	Object string              `json:"object"`
	Action apply.Action        `json:"action"`
	Fields []apply.FieldChange `json:"fields,omitempty"`
}

// changes lists what the plan changes: what would be done in a dry run, and
// what was done after one that ended well.
func (i *install) changes() []change {
	changes := []change{}
	if i.madeProject || !i.project.exists {
		changes = append(changes, change{Object: "Project " + i.facts.Namespace.Value, Action: apply.Create})
	}
	steps := i.role.Steps
	if i.roleDone != nil {
		steps = i.roleDone.Done
	}
	changes = append(changes, roleChanges(i.role.Role.ARN, steps)...)
	return append(changes, objectChanges(i.plan)...)
}

// objectChanges are those of the objects that a plan creates, updates or deletes.
func objectChanges(plan *apply.Plan) []change {
	var changes []change
	for _, item := range plan.All() {
		switch item.Action {
		case apply.Create, apply.Update, apply.Delete:
			changes = append(changes, change{item.Ref.String(), item.Action, item.Changes})
		}
	}
	return changes
}

// roleChanges tells the steps on the role as fields of one object.
func roleChanges(arn string, steps []iam.Step) []change {
	if len(steps) == 0 {
		return nil
	}
	role := change{Object: "Role " + arn, Action: apply.Update}
	for _, step := range steps {
		if step.Kind == iam.CreateRole {
			role.Action = apply.Create
		}
		field := apply.FieldChange{Path: step.What, After: step.After}
		if step.Before != "" {
			field.Before = step.Before
		}
		role.Fields = append(role.Fields, field)
	}
	return []change{role}
}

func (i *install) kept() []string {
	var kept []string
	for _, item := range i.plan.Left {
		if item.Action == apply.Keep {
			kept = append(kept, item.Ref.String())
		}
	}
	return kept
}

// reportDryRun ends a run that was only to look.
func (i *install) reportDryRun() error {
	if i.degraded {
		i.UI.Warn("--dry-run=server became client: project "+i.facts.Namespace.Value+" is not there yet, so the API server has nothing to judge", "")
	}
	if i.nothingToDo() {
		i.UI.Linef("nothing to change (%s)", i.took())
		i.tellAccess(i.exposureNow(""))
	} else {
		i.UI.Line("nothing was changed: this was a dry run")
	}
	return i.print(wait.Result{}, false, nil)
}

// conclude prints the result of a run that got to the end of applying. What is
// ready may still have failed the proof.
func (i *install) conclude(result wait.Result, failure error) error {
	i.warnOfTags()
	if failure == nil {
		i.farewell(result)
	}
	if err := i.print(result, i.ready, failure); err != nil {
		return errors.Join(failure, err)
	}
	return failure
}

func (i *install) farewell(result wait.Result) {
	if i.changedNothing {
		i.UI.Linef("nothing to change (%s)", i.took())
	}
	for _, name := range i.kept() {
		i.UI.Marked(ui.Kept, "%s is no longer part of the set and was kept: it is data", name)
	}
	switch {
	case !i.request.Wait:
		i.UI.Line("applied, not waited for: the same command with --wait says when it is ready")
	case result.URL != "":
		i.UI.Line("")
		i.UI.Linef("OSToy: %s   (menu entry \"ACK S3\")", result.URL)
	default:
		i.UI.Line("")
		i.UI.Linef("OSToy: %s, then http://localhost:8080", advice.Command("oc port-forward", "-n", i.facts.Namespace.Value, "service/ostoy-frontend-svc", "8080:8080"))
	}
	i.tellAccess(i.exposureNow(result.URL))
}

// tellAccess says who reaches what through the app.
func (i *install) tellAccess(e exposure) { i.UI.Linef("%s: %s", exposureLabel, e.words()) }

// print writes the data: the document, or the URL alone, once it leads somewhere.
func (i *install) print(result wait.Result, ready bool, failure error) error {
	if i.request.Output != FormatJSON {
		if ready && failure == nil && result.URL != "" {
			return i.WriteLine(result.URL)
		}
		return nil
	}
	document := installResult{
		Namespace: i.facts.Namespace.Value,
		Bucket:    render.BucketName(i.facts.Namespace.Value),
		Role:      i.role.Role.ARN,
		Changes:   i.changes(),
		Kept:      i.kept(),
		Ready:     ready,
		URL:       result.URL,
		Access:    i.exposureNow(result.URL).words(),
		Adopted:   i.adoption,
		Proof:     i.proof,
		Seconds:   i.Now().Sub(i.started).Seconds(),
	}
	if i.request.DryRun != DryRunNone {
		document.DryRun = i.request.DryRun
	}
	if i.controller != nil {
		controller := i.controller.document()
		document.Controller = &controller
	}
	if !ready {
		document.States = result.States
	}
	return i.WriteJSON(document)
}

func (i *install) took() string {
	return fmt.Sprintf("%.1fs", i.Now().Sub(i.started).Seconds())
}
