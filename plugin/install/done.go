package install

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/verify"
)

// Done is what a run has done so far. It is filled as things happen, so that a run that is
// cut off can say it.
type Done struct {
	Project    string   // that this run has made
	LeftBehind []string // projects that could not be taken back
	Controller string   // what became of it, "" if nothing did
	Inventory  bool     // written
	Role       *iam.Result
	RoleName   string
	RoleSteps  int // of the plan
	Objects    map[apply.Action]int
	Unsure     []string       // what may have been changed as well: no answer came
	Nothing    bool           // there was nothing to do
	Proof      *verify.Report // nil: not looked at
	Ready      bool
}

// SoFar says what a run that was cut off has done.
func (d *Done) SoFar() string {
	var done []string
	if d.Project != "" {
		done = append(done, "project "+d.Project+" created")
	}
	for _, name := range d.LeftBehind {
		done = append(done, "project "+name+" created, and not removed again")
	}
	if d.Inventory {
		done = append(done, "inventory (ConfigMap "+apply.InventoryName+") written")
	}
	if n := len(d.steps()); n > 0 {
		done = append(done, fmt.Sprintf("role %s: %d of %d steps", d.RoleName, n, max(n, d.RoleSteps)))
	}
	if text := announce.Counts(d.Objects); text != "" {
		done = append(done, "objects: "+text)
	}
	if d.Controller != "" {
		done = append(done, "the controller: "+d.Controller)
	}
	return announce.SoFar(done, d.Unsure)
}

// count adds what the events of the plan do not tell.
func (d *Done) count(objects *apply.Plan) {
	d.Inventory = objects.WroteInventory()
	d.Unsure = append(d.Unsure, announce.Unsure(objects, d.Role, d.RoleName)...)
}

// correct is an error that does not say that nothing was changed where something was.
func (d *Done) correct(err error) error {
	soFar := d.SoFar()
	if soFar == announce.NothingChanged {
		return err
	}
	if several, is := errors.AsType[*problem.Several](err); is && several.Note == announce.NothingChanged {
		return &problem.Several{Problems: several.Problems, Note: soFar}
	}
	if one, is := errors.AsType[*problem.Error](err); is && strings.Contains(one.What, announce.NothingChanged) {
		told := *one
		told.What = strings.ReplaceAll(one.What, announce.NothingChanged, soFar)
		return &told
	}
	return err
}

// steps are the steps that changed the role.
func (d *Done) steps() []iam.Step {
	if d.Role == nil {
		return nil
	}
	return d.Role.Done
}

// applied counts what became of one object; apply calls it one at a time.
func (d *Done) applied(event apply.Event) {
	if d.Objects == nil {
		d.Objects = map[apply.Action]int{}
	}
	d.Objects[event.Action]++
}
