package install

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/verify"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// result is the document of `install -o json`.
type result struct {
	Namespace string            `json:"namespace"`
	Bucket    string            `json:"bucket"`
	Role      string            `json:"role"` // ARN
	DryRun    session.DryRun    `json:"dryRun,omitempty"`
	Changes   []announce.Change `json:"changes"`
	Kept      []string          `json:"kept,omitempty"` // data that is no longer part of the set and stays
	Ready     bool              `json:"ready"`
	States    []wait.State      `json:"states,omitempty"` // where not ready
	URL       string            `json:"url,omitempty"`
	Access    string            `json:"access"` // who reaches what through the app
	// Adopted is what was brought in, or would be, with --adopt.
	Adopted *plan.Adoption `json:"adopted,omitempty"`
	// Controller is what became of it, with --with-controller.
	Controller any            `json:"controller,omitempty"`
	Proof      *verify.Report `json:"verification,omitempty"` // unless --verify=false
	Seconds    float64        `json:"durationSeconds"`
}

// changes lists what the plan changes: what would be done in a dry run, and what was done
// after one that ended well.
func changes(i *run, p plan.Plan) []announce.Change {
	changes := []announce.Change{}
	if i.done.Project != "" || !p.Desired.Project.State.Exists {
		changes = append(changes, announce.Change{Object: "Project " + p.Desired.Project.Name(), Action: apply.Create})
	}
	steps := p.Role.Steps
	if i.done.Role != nil {
		steps = i.done.steps()
	}
	changes = append(changes, announce.RoleChanges(p.Role.Role.ARN, steps)...)
	return append(changes, announce.ObjectChanges(p.Objects)...)
}

// reportDryRun ends a run that was only to look.
func reportDryRun(i *run, p plan.Plan) error {
	if i.request.DryRun == session.DryRunServer && !p.Desired.Project.State.Exists {
		i.UI.Warn("--dry-run=server became client: project "+p.Desired.Project.Name()+" is not there yet, so the API server has nothing to judge", "")
	}
	if i.nothingToDo(p) {
		i.UI.Linef("nothing to change (%s)", took(i))
		tellAccess(i.UI, exposureNow(i, p, ""))
	} else {
		i.UI.Line("nothing was changed: this was a dry run")
	}
	return print(i, p, wait.Result{}, false, nil)
}

// conclude prints the result of a run that got to the end of applying. What is ready may
// still have failed the proof.
func conclude(i *run, p plan.Plan, result wait.Result, failure error) error {
	if role := i.done.Role; role != nil { // it may lack the tags that earlier versions did not set
		if what, next := role.Untagged.Warning(); what != "" {
			i.UI.Warn(plain.InLine(what), next)
		}
	}
	if failure == nil {
		farewell(i, p, result)
	}
	if err := print(i, p, result, i.done.Ready, failure); err != nil {
		return errors.Join(failure, err)
	}
	return failure
}

func farewell(i *run, p plan.Plan, result wait.Result) {
	if i.done.Nothing {
		i.UI.Linef("nothing to change (%s)", took(i))
	}
	for _, name := range p.Kept() {
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
		i.UI.Linef("OSToy: %s, then http://localhost:8080", advice.Command("oc port-forward", "-n", p.Desired.Project.Name(), "service/ostoy-frontend-svc", "8080:8080"))
	}
	tellAccess(i.UI, exposureNow(i, p, result.URL))
}

// tellAccess says who reaches what through the app.
func tellAccess(to *ui.UI, e exposure.Exposure) { to.Linef("%s: %s", exposure.Label, e.Words()) }

// exposureNow is the exposure at the end: if something was applied, as the server
// answered, and at the address that was waited for.
func exposureNow(i *run, p plan.Plan, address string) exposure.Exposure {
	e := p.Exposure()
	if i.request.onlyLooks() {
		return e
	}
	if object := exposure.Among(p.Objects.Live()); object != nil {
		e = exposure.Of(p.Desired.Project.Name(), p.Desired.Objects, exposure.By{Object: object, Managed: true})
	}
	if host := exposure.HostOf(address); e.Public() && host != "" {
		e.Host, e.Encrypted = host, strings.HasPrefix(address, "https://")
	}
	return e
}

// print writes the data: the document, or the URL alone, once it leads somewhere.
func print(i *run, p plan.Plan, waited wait.Result, ready bool, failure error) error {
	if i.request.Output != session.FormatJSON {
		if ready && failure == nil && waited.URL != "" {
			return i.WriteLine(waited.URL)
		}
		return nil
	}
	document := result{
		Namespace: p.Desired.Project.Name(),
		Bucket:    render.BucketName(p.Desired.Project.Name()),
		Role:      p.Role.Role.ARN,
		Changes:   changes(i, p),
		Kept:      p.Kept(),
		Ready:     ready,
		URL:       waited.URL,
		Access:    exposureNow(i, p, waited.URL).Words(),
		Adopted:   p.Before.Adoption,
		Proof:     i.done.Proof,
		Seconds:   i.Now().Sub(i.started).Seconds(),
	}
	if i.request.DryRun != session.DryRunNone {
		document.DryRun = i.request.DryRun
	}
	if i.request.Controller != nil {
		document.Controller = i.request.Controller.Document()
	}
	if !ready {
		document.States = waited.States
	}
	return i.WriteJSON(document)
}

func took(i *run) string {
	return fmt.Sprintf("%.1fs", i.Now().Sub(i.started).Seconds())
}
