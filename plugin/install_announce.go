package plugin

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// announce prints what was found and what is about to be done. "Would" and
// "did" are told from the same plan.
func (i *install) announce() {
	i.UI.Rows(i.headRows())
	for _, note := range i.found.Notes {
		i.UI.Linef("note      %s", note)
	}
	if i.nothingToDo() {
		i.announceNotes()
		return
	}
	i.UI.Line("")
	i.UI.Line("Plan")
	if !i.project.exists {
		i.planned(ui.Added, "project", i.facts.Namespace.Value)
	}
	i.announceRole()
	i.announceObjects()
	i.UI.Line("")
}

// nothingToDo reports whether project, role and objects are as they should be.
func (i *install) nothingToDo() bool {
	return i.project.exists && i.role.Empty() && !i.plan.Changed()
}

func (i *install) headRows() []ui.Row {
	f := i.facts
	account := f.Account.Value
	if i.found.Caller != "" {
		account += ", as " + i.found.Caller
	}
	issuer := f.Issuer.Source
	if i.knownToIAM {
		issuer += ", known to IAM"
	}
	return []ui.Row{
		{Label: "cluster", Text: fmt.Sprintf("%s, Kubernetes %s", platformName(f.Platform.Value), f.KubeVersion.Value), From: f.Platform.Source},
		{Label: "region", Text: f.Region.Value, From: f.Region.Source},
		{Label: "account", Text: account, From: f.Account.Source},
		{Label: "issuer", Text: f.Issuer.Value, From: issuer},
		{Label: "project", Text: f.Namespace.Value, From: f.Namespace.Source},
	}
}

func platformName(platform string) string {
	switch platform {
	case render.PlatformROSAHCP:
		return "ROSA HCP"
	case render.PlatformROSAClassic:
		return "ROSA classic"
	case render.PlatformOpenShift:
		return "OpenShift"
	case render.PlatformEKS:
		return "EKS"
	case render.PlatformKubernetes:
		return "Kubernetes"
	}
	return "a cluster of unknown kind"
}

// planned prints one line of the plan.
func (i *install) planned(mark ui.Mark, what, text string) {
	i.UI.Plan(mark, what, text)
}

func (i *install) announceRole() {
	if i.role.Creates() {
		i.planned(ui.Added, "role", strings.TrimPrefix(i.role.Role.Path, "/")+i.role.Role.Name)
		i.details("trusts  "+i.role.Role.Trusts(), "allows  "+i.role.Role.Allows())
	}
	for _, step := range i.role.Steps {
		if i.role.Creates() {
			break
		}
		i.planned(ui.Changed, "role", strings.TrimSpace(step.What+"  "+step.Reason))
		if step.Kind == iam.TagRole || step.Kind == iam.PutBoundary {
			i.details(beforeAfter(step.Before, step.After))
		}
	}
	i.announceNotes()
}

// announceNotes tells what others did to the role; it stays, so it is told by
// every run.
func (i *install) announceNotes() {
	for _, note := range i.role.Notes {
		i.UI.Warn(note, "")
	}
	// What is on record is a hint that anybody may have edited, and here becomes
	// a command that somebody may copy.
	last, err := render.ParseARNOf(i.inventory.RoleARN, "iam", "role")
	name := last.Name()
	if err == nil && last.String() != i.role.Role.ARN && regexp.MustCompile(`^[\w+=,.@-]+$`).MatchString(name) {
		i.UI.Warn("the role of the last install, "+last.String()+", stays and is no longer used",
			fmt.Sprintf("aws iam delete-role-policy --role-name %s --policy-name %s; aws iam delete-role --role-name %s", name, iam.PolicyName, name))
	}
}

func (i *install) details(lines ...string) {
	for _, line := range lines {
		i.UI.Detail(line)
	}
}

// announceObjects names what changes; what is merely created is counted, but
// for the bucket: that is what the reader came for.
func (i *install) announceObjects() {
	var created, taken []apply.Ref
	for _, item := range i.items() {
		switch item.Action {
		case apply.Create:
			if item.Ref.Kind == "Bucket" {
				i.planned(ui.Added, "bucket", item.Ref.Name+"   private, encrypted, TLS only, kept when the project goes")
				continue
			}
			created = append(created, item.Ref)
		case apply.Update:
			if len(item.Changes) == 0 && item.Why == apply.TakenAsItIs {
				taken = append(taken, item.Ref)
				continue
			}
			i.announceUpdate(item)
		case apply.Delete:
			i.planned(ui.Removed, "object", item.Ref.String()+"   no longer wanted")
		case apply.Keep:
			i.planned(ui.Kept, "object", item.Ref.String()+"   kept: "+item.Why)
		case apply.Gone:
			i.UI.Warn(item.Ref.String()+" is forgotten: "+item.Why, "")
		}
	}
	if len(taken) > 0 {
		i.planned(ui.Changed, fmt.Sprintf("%d more", len(taken)), apply.TakenAsItIs+":\n"+wrap(named(taken)))
	}
	if len(created) > 0 {
		i.planned(ui.Added, fmt.Sprintf("%d more", len(created)), wrap(named(created)))
	}
}

func (i *install) announceUpdate(item *apply.Item) {
	i.planned(ui.Changed, "object", strings.TrimSpace(item.Ref.String()+"  "+item.Why))
	for _, change := range item.Changes {
		line := change.Path + ": " + beforeAfter(inWords(change.Before), inWords(change.After))
		if change.Manager != "" {
			line += "   (changed by " + change.Manager + ")"
		}
		i.details(line)
	}
	if len(item.Changes) == 0 && len(item.Owned) > 0 {
		i.details(fmt.Sprintf("%d fields become ours, their values stay", len(item.Owned)))
	}
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
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", ", ")
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
			names = append(names, fmt.Sprintf("%d %ss", n, ref.Kind))
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
