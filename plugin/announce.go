package plugin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// planned prints one line of the plan.
func (a *App) planned(mark ui.Mark, what, text string) { a.UI.Plan(mark, what, text) }

func (a *App) details(lines ...string) {
	for _, line := range lines {
		a.UI.Detail(line)
	}
}

// announceRolePlan prints what is to become of a role.
func (a *App) announceRolePlan(plan *iam.Plan) {
	if plan.Creates() {
		a.planned(ui.Added, "role", plan.Role.Label())
		a.details(inLines([]string{"trusts  " + plan.Role.Trusts(), "allows  " + plan.Role.Allows()})...)
		return
	}
	for _, step := range plan.Steps {
		a.planned(ui.Changed, "role", inLine(step.What+"  "+step.Reason))
		if step.Kind == iam.TagRole || step.Kind == iam.PutBoundary {
			a.details(beforeAfter(step.Before, step.After))
		}
	}
}

// headOf are the first lines of a run: what was found, and where from.
func headOf(f render.Facts, caller string, knownToIAM bool) []ui.Row {
	account := f.Account.Value
	if caller != "" {
		account += ", as " + caller
	}
	issuer := f.Issuer.Source
	if knownToIAM {
		issuer += ", known to IAM"
	}
	return []ui.Row{
		{Label: "cluster", Text: fmt.Sprintf("%s, Kubernetes %s", platformName(f.Platform.Value), f.KubeVersion.Value), From: f.Platform.Source},
		{Label: "region", Text: f.Region.Value, From: f.Region.Source},
		{Label: "account", Text: account, From: f.Account.Source},
		{Label: "issuer", Text: f.Issuer.Value, From: issuer},
	}
}

// announceItem prints what happens to one object that is there.
func (a *App) announceItem(item *apply.Item) {
	switch item.Action {
	case apply.Update:
		a.announceUpdate(item)
	case apply.Delete:
		a.planned(ui.Removed, "object", item.Ref.String()+"   no longer wanted")
	case apply.Keep:
		a.planned(ui.Kept, "object", inLine(item.Ref.String()+"   kept: "+item.Why))
	case apply.Gone:
		a.UI.Warn(inLine(item.Ref.String()+" is forgotten: "+item.Why), "")
	}
}

func (a *App) announceUpdate(item *apply.Item) {
	a.planned(ui.Changed, "object", inLine(item.Ref.String()+"  "+item.Why))
	changes := item.Changes
	if item.Adopts() { // that there is more in it than before is no news
		changes = slices.DeleteFunc(slices.Clone(changes), func(c apply.FieldChange) bool { return c.Before == nil })
	}
	defer func() {
		if n := len(item.Changes) - len(changes); n > 0 {
			a.details(fmt.Sprintf("%s added (--diff shows all)", plural(int64(n), "field")))
		}
	}()
	for _, change := range changes {
		line := change.Path + ": " + beforeAfter(inWords(change.Before), inWords(change.After))
		if item.Adopts() || controller.IsAdmission(item.Ref) {
			line = shortened(line)
		}
		if change.Manager != "" {
			line += "   (changed by " + change.Manager + ")"
		}
		a.details(inLine(line))
	}
	if len(item.Changes) == 0 && len(item.Owned) > 0 {
		a.details(fmt.Sprintf("%d fields become ours, their values stay", len(item.Owned)))
	}
}

// shortened is the beginning of a line that is longer than anybody reads.
func shortened(line string) string {
	const most = 160
	if letters := []rune(line); len(letters) > most {
		return string(letters[:most]) + " ..."
	}
	return line
}

func beforeAfter(before, after string) string {
	if before == "" {
		before = "(none)"
	}
	if after == "" {
		after = "(none)"
	}
	return oneLine(before) + " → " + oneLine(after)
}

func oneLine(text string) string {
	return inLine(strings.ReplaceAll(strings.TrimSpace(text), "\n", ", "))
}

// inWords is a decoded value as a reader would type it.
func inWords(value any) string {
	switch v := value.(type) {
	case nil:
		return "(none)"
	case string:
		return v
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// named names objects; many are told by their kinds, "2 Secrets".
func named(refs []apply.Ref) []string {
	const few = 4
	var names []string
	if len(refs) <= few {
		for _, ref := range refs {
			names = append(names, ref.String())
		}
		return names
	}
	return byKind(refs)
}

// byKind counts objects by their kinds, "2 Secrets".
func byKind(refs []apply.Ref) []string {
	var names []string
	counts := map[string]int{}
	for _, ref := range refs {
		counts[ref.Kind]++
	}
	for _, ref := range refs {
		switch n := counts[ref.Kind]; {
		case n == 1:
			names = append(names, ref.Kind)
		case n > 1:
			names = append(names, plural(int64(n), ref.Kind))
		}
		delete(counts, ref.Kind)
	}
	return names
}

// wrap joins names and breaks the line where it would get too long.
func wrap(names []string) string {
	const width = 66
	var out strings.Builder
	column := 0
	for n, name := range names {
		if n > 0 {
			out.WriteString(",")
			if column+len(name) > width {
				out.WriteString("\n")
				column = 0
			} else {
				out.WriteString(" ")
			}
		}
		out.WriteString(name)
		column += len(name) + len(", ")
	}
	return out.String()
}
