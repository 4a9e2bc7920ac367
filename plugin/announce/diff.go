package announce

import (
	"context"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/differ"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// Diff prints the two sides of a plan as a unified diff, or has the user's own program
// show them (external, as KUBECTL_EXTERNAL_DIFF has it; "" for none), and reports whether
// there is a difference.
func Diff(ctx context.Context, s *session.Session, to *ui.UI, pairs []differ.Pair, external string) (bool, error) {
	if external != "" {
		return differ.External(ctx, external, pairs, s.Stream(to), s.Stream(s.UI))
	}
	text := differ.Unified(pairs)
	if len(text) == 0 {
		return false, nil
	}
	return true, to.Patch(string(text))
}

// Pairs are the two sides of everything in a plan that could be looked at: the objects in
// apply order, then those that go, then the role, unless that is nil.
func Pairs(objects *apply.Plan, role *iam.Plan) ([]differ.Pair, error) {
	var pairs []differ.Pair
	for _, item := range objects.All() {
		live, would := item.Live, item.Would
		switch {
		case item.Action == apply.Unknown, item.Action == apply.Gone:
			continue
		case item.Action != apply.Create && !ShowsChange(item):
			would = live
		}
		pair, err := differ.Objects(live, would)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	if role == nil {
		return pairs, nil
	}
	return append(pairs, RolePairs(role)...), nil
}

// RolePairs are the two sides of all that a plan changes about a role.
func RolePairs(plan *iam.Plan) []differ.Pair {
	var pairs []differ.Pair
	for _, part := range plan.Parts() {
		name := "iam.role." + plan.Role.Name + "." + part.Name
		pairs = append(pairs, differ.Pair{Name: name, Why: part.Why, Before: part.Before, After: part.After})
	}
	return pairs
}

// ShowsChange reports whether there is more to an object that is there than a
// change of hands. What others did to it between the two readings is no change of
// ours.
func ShowsChange(item *apply.Item) bool {
	switch item.Action {
	case apply.Delete:
		return true
	case apply.Update: // without either, what changes could not be foretold
		return len(item.Changes) > 0 || len(item.Owned) == 0 && item.Why != apply.TakenAsItIs && !item.Takes()
	}
	return false
}

// Change is one thing that a command changes, as its -o json says it.
type Change struct {
	Object string              `json:"object"`
	Action apply.Action        `json:"action"`
	Fields []apply.FieldChange `json:"fields,omitempty"`
}

// ObjectChanges are those of the objects that a plan creates, updates or deletes.
func ObjectChanges(plan *apply.Plan) []Change {
	var changes []Change
	for _, item := range plan.All() {
		switch item.Action {
		case apply.Create, apply.Update, apply.Delete:
			changes = append(changes, Change{item.Ref.String(), item.Action, item.Changes})
		}
	}
	return changes
}

// RoleChanges give the steps on a role as fields of one object.
func RoleChanges(arn string, steps []iam.Step) []Change {
	if len(steps) == 0 {
		return nil
	}
	role := Change{Object: "Role " + arn, Action: apply.Update}
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
	return []Change{role}
}

// RoleNotes say what others did to the role of a plan; it stays, so every run says it.
// verifies is whether the run ends with a verification, which then finds it.
func RoleNotes(to *ui.UI, p plan.Plan, verifies bool) {
	width(to, p.Desired)
	for _, note := range p.Role.Notes {
		to.Warn(plain.InLine(note), "")
	}
	if what, next := p.Outlook.Warning(); what != "" && verifies {
		if maker := p.RoleMaker(); maker != "" && p.Outlook.OwnLacks() {
			next = maker
		}
		to.Warn(what, next)
	}
	lastRole(to, p)
}

// width says, of a role that is used as it is, what it does beyond what the app needs.
func width(to *ui.UI, d plan.Desired) {
	a := d.Adopted
	for _, text := range a.Passed {
		to.Warn(plain.InLine(text), "")
	}
	if !a.AsIs || a.Actual == nil {
		return
	}
	if wider := a.Wanted.Wider(a.Actual, d.Facts().Issuer.Value); len(wider) > 0 {
		to.Warn("the role "+a.Wanted.Label()+" may do more than OSToy does: "+strings.Join(plain.InLines(wider), "; "), advice.TightenRole(d.Project.Name()))
	}
}

// lastRole names the role of the last install, if this one uses another. The record can be
// edited in the project, so what it names is in no command to copy.
func lastRole(to *ui.UI, p plan.Plan) {
	last, legal := advice.Role(p.Desired.Project.Inventory.RoleARN)
	if !legal || last.String() == p.Role.Role.ARN {
		return
	}
	to.Warn("the inventory of the project names another role, "+last.String()+", which stays and is not used from now on",
		"to see whether it was created for this project, with its name: "+advice.Command("aws iam list-role-tags", "--role-name", advice.RoleName("").Word()))
}

// Counts says what was done to objects, "11 created, 1 updated".
func Counts(objects map[apply.Action]int) string {
	var parts []string
	for _, part := range []struct {
		action apply.Action
		word   string
	}{{apply.Create, "created"}, {apply.Update, "updated"}, {apply.Delete, "removed"}} {
		if n := objects[part.action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, part.word))
		}
	}
	return strings.Join(parts, ", ")
}
