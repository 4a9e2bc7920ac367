package plugin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// statusLine is one line of what a person sees of an install: what it is about,
// how that is, its name, what there is to say. Without a label it belongs to the
// line above it.
type statusLine struct {
	label string
	mark  status.Mark // "" is a line without a mark
	name  string
	text  string
}

// statusLines are a report for people; wide has what they rarely want to know.
func statusLines(r status.Report, now time.Time, wide bool) []statusLine {
	lines := []statusLine{{label: "project", name: r.Namespace, text: origin(r.Installed, now)}}
	lines = append(lines, bucketLines(r.Bucket)...)
	lines = append(lines, roleLines(r.Role, now)...)
	lines = append(lines, statusLine{"service account", r.ServiceAccount.Mark, r.ServiceAccount.Name, r.ServiceAccount.Text})
	lines = append(lines, podLines(r, now, wide)...)
	if r.Volume.Mark != "" {
		lines = append(lines, statusLine{"volume", r.Volume.Mark, "ostoy-pvc", r.Volume.Text})
	}
	lines = append(lines, routeLine(r.Route))
	if r.Access != "" {
		lines = append(lines, statusLine{label: exposureLabel, name: r.Access})
	}
	if wide {
		lines = append(lines, wideLines(r)...)
	}
	lines = append(lines, driftLines(r.Drift)...)
	return append(lines, hintLines(hintsOf(r))...)
}

// hintLines are what to do, a line for each command.
func hintLines(hints []string) []statusLine {
	var lines []statusLine
	for _, hint := range hints {
		for _, line := range ui.Advised(hint) {
			lines = append(lines, statusLine{name: line})
		}
	}
	if len(lines) > 0 {
		lines[0].label = "try"
	}
	return lines
}

// origin says how long the install has been there and who made it.
func origin(i status.Installed, now time.Time) string {
	var words []string
	if !i.Since.IsZero() {
		words = append(words, "installed "+ago(i.Since, now))
	}
	switch i.By {
	case "", "ostoy-s3":
	default:
		words = append(words, "by "+i.By)
	}
	if i.Version != "" {
		words = append(words, "last by version "+i.Version)
	}
	if i.Inventory != "found" {
		words = append(words, "inventory "+i.Inventory)
	}
	return strings.Join(words, ", ")
}

func bucketLines(b status.Bucket) []statusLine {
	words := []string{b.Text}
	switch {
	case b.Region != "" && b.S3 == "":
		words = append(words, b.Region+" (as the Bucket resource says)")
	case b.Region != "":
		words = append(words, b.Region)
	}
	switch {
	case b.Contents != nil && b.More:
		words = append(words, "more than "+amount(b.Contents))
	case b.Contents != nil:
		words = append(words, amount(b.Contents))
	case b.Uncounted != "":
		words = append(words, "not counted ("+b.Uncounted+")")
	}
	p := b.Protection
	guard := statusLine{text: strings.Join([]string{p.PublicAccess.Text, p.TLS.Text, p.Encryption.Text, p.DeletionPolicy.Text}, ", ")}
	if p.PublicAccess.From != "S3" {
		guard.text += "   (as the Bucket object asks for)"
	}
	return []statusLine{{"bucket", b.Mark, b.Name, strings.Join(words, ", ")}, guard}
}

func roleLines(r status.Role, now time.Time) []statusLine {
	line := statusLine{"role", r.Mark, roleLabel(r.ARN), r.Text}
	switch {
	case !r.Exists:
	case r.LastUsed.IsZero():
		line.text += ", not used yet"
	default:
		line.text += ", last used " + ago(r.LastUsed, now)
		if r.LastUsedRegion != "" {
			line.text += " in " + r.LastUsedRegion
		}
	}
	lines := []statusLine{line}
	for _, note := range r.Notes {
		lines = append(lines, statusLine{text: note})
	}
	return lines
}

// roleLabel is the path and name of a role, without what all ARNs begin with.
func roleLabel(arn string) string {
	_, label, _ := strings.Cut(arn, ":role/")
	return label
}

func podLines(r status.Report, now time.Time, wide bool) []statusLine {
	var lines []statusLine
	for _, w := range r.Workloads {
		at := len(lines)
		for _, p := range r.Pods {
			if p.Deployment == w.Name {
				lines = append(lines, statusLine{"", p.Mark, p.Name, podText(p, now, wide)})
			}
		}
		// A Deployment is told where its pods do not say it all.
		if w.Mark != status.OK || at == len(lines) {
			lines = slices.Insert(lines, at, statusLine{"", w.Mark, w.Name, w.Text})
		}
	}
	if r.PodsPart.Mark == status.Unknown {
		lines = append(lines, statusLine{"", status.Unknown, "pods", r.PodsPart.Text})
	}
	if len(lines) > 0 {
		lines[0].label = "pods"
	}
	return lines
}

func podText(p status.Pod, now time.Time, wide bool) string {
	words := []string{p.Text}
	switch {
	case p.Missing != "":
		words = append(words, "WITHOUT its AWS identity: "+p.Missing)
	case p.NeedsIdentity:
		words = append(words, "with its AWS identity")
	}
	if wide {
		words = append(words, fmt.Sprintf("%d restarts", p.Restarts), ago(p.Since, now), "node "+p.Node)
		if p.Identity != "" {
			words = append(words, p.Identity)
		}
	}
	return strings.Join(words, ", ")
}

func routeLine(r status.Route) statusLine {
	line := statusLine{"route", r.Mark, r.URL, ""}
	if r.URL == "" && r.Kind != "" {
		line.name = "ostoy-" + strings.ToLower(r.Kind)
	}
	if r.URL == "" || r.Mark != status.OK {
		line.text = r.Text
	}
	return line
}

// wideLines are what the last install put on record, and the names in full.
func wideLines(r status.Report) []statusLine {
	record := r.Installed.Record
	lines := []statusLine{{label: "role ARN", name: r.Role.ARN}}
	if r.Role.Boundary != "" {
		lines = append(lines, statusLine{label: "boundary", name: r.Role.Boundary})
	}
	if asked := r.Role.Tags[render.TagPolicy]; asked != "" {
		lines = append(lines, statusLine{label: "policy", name: asked})
	}
	for _, row := range []struct{ label, value string }{
		{"on record", recordedAt(r.Installed)},
		{"", say("account", record.Account)},
		{"", say("region", record.Region)},
		{"", say("issuer", record.Issuer)},
		{"", say("cluster", record.ClusterID)},
		{"", say("role", record.RoleARN)},
		{"", say("bucket", strings.TrimSpace(record.Bucket+" "+inBrackets(record.BucketOrigin)))},
		{"", say("project", record.NamespaceOrigin)},
	} {
		if row.value != "" {
			lines = append(lines, statusLine{label: row.label, name: row.value})
		}
	}
	return lines
}

func recordedAt(i status.Installed) string {
	if i.Recorded.IsZero() {
		return i.Inventory
	}
	return fmt.Sprintf("%s, at %s, by version %s", plural(int64(len(i.Objects)), "object"), i.Recorded.UTC().Format(time.RFC3339), i.Version)
}

func say(what, value string) string {
	if value == "" {
		return ""
	}
	return what + " " + value
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}

// hintsOf are the commands that mend what is wrong, each once.
func hintsOf(r status.Report) []string {
	parts := []status.Part{r.Bucket.Part, r.Role.Part, r.ServiceAccount.Part, r.Volume, r.Route.Part}
	for _, w := range r.Workloads {
		parts = append(parts, w.Part)
	}
	for _, p := range r.Pods {
		parts = append(parts, p.Part)
	}
	var hints []string
	for _, p := range append(parts, r.Drift.Part) {
		bad := p.Mark == status.Wrong || p.Mark == status.Warning
		if bad && p.Hint != "" {
			hints = appendHint(hints, p.Hint)
		}
	}
	return hints
}

// appendHint adds the lines of a hint, unless they are among the hints in this order: of
// several steps none is left out because an earlier hint has it, too.
func appendHint(hints []string, hint string) []string {
	lines := strings.Split(hint, "\n")
	for at := range hints {
		if rest := hints[at:]; len(rest) >= len(lines) && slices.Equal(rest[:len(lines)], lines) {
			return hints
		}
	}
	return append(hints, lines...)
}

// ago is how long ago something was, as kubectl tells ages.
func ago(then, now time.Time) string { return age(then, now) + " ago" }

func age(then, now time.Time) string {
	const day = 24 * time.Hour
	switch d := now.Sub(then); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d/time.Second)))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d/time.Minute))
	case d < 2*day:
		return fmt.Sprintf("%dh", int(d/time.Hour))
	default:
		return fmt.Sprintf("%dd", int(d/day))
	}
}
