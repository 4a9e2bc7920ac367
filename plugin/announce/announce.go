// Package announce prints plans: what a run has found, and what becomes of the role and of
// each object. "Would" and "did" are printed from the same plan, by the same functions.
package announce

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

func details(to *ui.UI, lines ...string) {
	for _, line := range lines {
		to.Detail(line)
	}
}

// Role prints what is to become of a role.
func Role(to *ui.UI, plan *iam.Plan) {
	if plan.Creates() {
		to.Plan(ui.Added, "role", plan.Role.Label())
		details(to, plain.InLines([]string{"trusts  " + plan.Role.Trusts(), "allows  " + plan.Role.Allows()})...)
		return
	}
	for _, step := range plan.Steps {
		to.Plan(ui.Changed, "role", plain.InLine(step.What+"  "+step.Reason))
		if step.Kind == iam.TagRole || step.Kind == iam.PutBoundary {
			details(to, BeforeAfter(step.Before, step.After))
		}
	}
}

// Head are the first lines of a run: what was found, and where from.
func Head(f render.Facts, caller string, knownToIAM bool) []ui.Row {
	account := f.Account.Value
	if caller != "" {
		account += ", as " + caller
	}
	issuer := f.Issuer.Source
	shown := f.Issuer.Value
	if f.IssuerPending() {
		issuer, shown = "", f.Issuer.Source
	}
	if knownToIAM {
		issuer += ", known to IAM"
	}
	return []ui.Row{
		{Label: "cluster", Text: fmt.Sprintf("%s, Kubernetes %s", platformName(f.Platform.Value), f.KubeVersion.Value), From: f.Platform.Source},
		{Label: "region", Text: f.Region.Value, From: f.Region.Source},
		{Label: "account", Text: account, From: f.Account.Source},
		{Label: "issuer", Text: shown, From: issuer},
	}
}

// Item prints what happens to one object that is there.
func Item(to *ui.UI, item *apply.Item) {
	switch item.Action {
	case apply.Update:
		update(to, item)
	case apply.Delete:
		to.Plan(ui.Removed, "object", item.Ref.String()+"   no longer wanted")
	case apply.Keep:
		to.Plan(ui.Kept, "object", plain.InLine(item.Ref.String()+"   kept: "+item.Why))
	case apply.Gone:
		to.Warn(plain.InLine(item.Ref.String()+" is forgotten: "+item.Why), "")
	}
}

func update(to *ui.UI, item *apply.Item) {
	to.Plan(ui.Changed, "object", plain.InLine(item.Ref.String()+"  "+item.Why))
	changes := item.Changes
	if item.Adopts() { // that there is more in it than before is no news
		changes = slices.DeleteFunc(slices.Clone(changes), func(c apply.FieldChange) bool { return c.Before == nil })
	}
	defer func() {
		if n := len(item.Changes) - len(changes); n > 0 {
			details(to, fmt.Sprintf("%s added (--diff shows all)", phrase.Count(int64(n), "field")))
		}
	}()
	for _, change := range changes {
		line := change.Path + ": " + BeforeAfter(InWords(change.Before), InWords(change.After))
		if item.Adopts() || item.Ref.Group == operator.AdmissionGroup {
			line = shortened(line)
		}
		if change.Manager != "" {
			line += "   (changed by " + change.Manager + ")"
		}
		details(to, plain.InLine(line))
	}
	if len(item.Changes) == 0 && len(item.Owned) > 0 {
		details(to, fmt.Sprintf("%d fields become ours, their values stay", len(item.Owned)))
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

// BeforeAfter is a change in words.
func BeforeAfter(before, after string) string {
	return OneLine(cmp.Or(before, "(none)")) + " → " + OneLine(cmp.Or(after, "(none)"))
}

// OneLine is a text of several lines in one.
func OneLine(text string) string {
	return plain.InLine(strings.ReplaceAll(strings.TrimSpace(text), "\n", ", "))
}

// InWords is a decoded value as a reader would type it.
func InWords(value any) string {
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

// Named names objects; many are told by their kinds, "2 Secrets".
func Named(refs []apply.Ref) []string {
	const few = 4
	if len(refs) > few {
		return ByKind(refs)
	}
	var names []string
	for _, ref := range refs {
		names = append(names, ref.String())
	}
	return names
}

// ByKind counts objects by their kinds, "2 Secrets".
func ByKind(refs []apply.Ref) []string {
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
			names = append(names, phrase.Count(int64(n), ref.Kind))
		}
		delete(counts, ref.Kind)
	}
	return names
}

// Wrap joins names and breaks the line where it would get too long.
func Wrap(names []string) string {
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

func platformName(platform string) string {
	return cmp.Or(map[string]string{
		render.PlatformROSAHCP:     "ROSA HCP",
		render.PlatformROSAClassic: "ROSA classic",
		render.PlatformOpenShift:   "OpenShift",
		render.PlatformEKS:         "EKS",
		render.PlatformKubernetes:  "Kubernetes",
	}[platform], "a cluster of unknown kind")
}

// Mark is the mark of an object's state.
func Mark(state health.State) ui.Mark {
	switch {
	case state.Ready:
		return ui.Done
	case state.Level == health.Fail:
		return ui.Failed
	case state.Level == health.Warn:
		return ui.Warned
	}
	return ui.Busy
}
