package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// lines are a report for people; wide has what they rarely want to know.
func lines(r Report, now time.Time, wide bool) []report.Line {
	lines := []report.Line{{Label: "project", Name: r.Namespace, Text: origin(r.Installed, now)}}
	lines = append(lines, bucketLines(r.Bucket)...)
	lines = append(lines, roleLines(r.Role, now)...)
	lines = append(lines, r.ServiceAccount.Line("service account", r.ServiceAccount.Name))
	lines = append(lines, podLines(r, now, wide)...)
	if r.Volume.Mark != "" {
		lines = append(lines, r.Volume.Line("volume", "ostoy-pvc"))
	}
	lines = append(lines, routeLine(r.Route))
	if r.Access != "" {
		lines = append(lines, report.Line{Label: exposure.Label, Name: r.Access})
	}
	if wide {
		lines = append(lines, wideLines(r)...)
	}
	lines = append(lines, driftLines(r.Drift)...)
	return append(lines, report.Try(r.parts())...)
}

// origin says how long the install has been there and who made it.
func origin(i Installed, now time.Time) string {
	var words []string
	if !i.Since.IsZero() {
		words = append(words, "installed "+report.Ago(i.Since, now))
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

func bucketLines(b Bucket) []report.Line {
	words := []string{b.Text}
	switch {
	case b.Region != "" && b.S3 == "":
		words = append(words, b.Region+" (as the Bucket resource says)")
	case b.Region != "":
		words = append(words, b.Region)
	}
	switch {
	case b.Contents != nil && b.More:
		words = append(words, "more than "+bucket.Amount(b.Contents))
	case b.Contents != nil:
		words = append(words, bucket.Amount(b.Contents))
	case b.Uncounted != "":
		words = append(words, "not counted ("+b.Uncounted+")")
	}
	lines := []report.Line{{Label: "bucket", Mark: b.Mark, Name: b.Name, Text: strings.Join(words, ", ")}}
	var guards []string
	for _, setting := range b.Protection.settings() {
		guards = append(guards, setting.Text)
	}
	if len(guards) == 0 {
		return lines
	}
	guard := report.Line{Text: strings.Join(guards, ", ")}
	if b.Protection.PublicAccess.From == fromObject {
		guard.Text += "   (as the Bucket object asks for)"
	}
	return append(lines, guard)
}

func roleLines(r Role, now time.Time) []report.Line {
	line := r.Line("role", report.RoleLabel(r.ARN))
	switch {
	case !r.Exists:
	case r.LastUsed.IsZero():
		line.Text += ", not used yet"
	default:
		line.Text += ", last used " + report.Ago(r.LastUsed, now)
		if r.LastUsedRegion != "" {
			line.Text += " in " + r.LastUsedRegion
		}
	}
	lines := []report.Line{line}
	for _, note := range r.Notes {
		lines = append(lines, report.Line{Text: note})
	}
	return lines
}

func podLines(r Report, now time.Time, wide bool) []report.Line {
	var lines []report.Line
	for _, w := range r.Workloads {
		at := len(lines)
		for _, p := range r.Pods {
			if p.Deployment == w.Name {
				lines = append(lines, report.Line{Mark: p.Mark, Name: p.Name, Text: podText(p, now, wide)})
			}
		}
		// A Deployment is told where its pods do not say it all.
		if w.Mark != report.OK || at == len(lines) {
			lines = slices.Insert(lines, at, w.Line("", w.Name))
		}
	}
	if r.PodsPart.Mark == report.Unknown {
		lines = append(lines, r.PodsPart.Line("", "pods"))
	}
	if len(lines) > 0 {
		lines[0].Label = "pods"
	}
	return lines
}

func podText(p Pod, now time.Time, wide bool) string {
	words := []string{p.Text}
	switch {
	case p.another:
		words = append(words, "with an AWS identity that is not the install's: "+p.Missing)
	case p.Missing != "":
		words = append(words, "WITHOUT its AWS identity: "+p.Missing)
	case p.NeedsIdentity:
		words = append(words, "with its AWS identity")
	}
	if wide {
		words = append(words, fmt.Sprintf("%d restarts", p.Restarts), report.Ago(p.Since, now), "node "+p.Node)
		if p.Identity != "" {
			words = append(words, p.Identity)
		}
	}
	return strings.Join(words, ", ")
}

func routeLine(r Route) report.Line {
	line := report.Line{Label: "route", Mark: r.Mark, Name: r.URL}
	if r.URL == "" && r.Kind != "" {
		line.Name = "ostoy-" + strings.ToLower(r.Kind)
	}
	if r.URL == "" || r.Mark != report.OK {
		line.Text = r.Text
	}
	return line
}

// wideLines are what the last install put on record, and the names in full.
func wideLines(r Report) []report.Line {
	record := r.Installed.Record
	lines := []report.Line{{Label: "role ARN", Name: r.Role.ARN}}
	if r.Role.Boundary != "" {
		lines = append(lines, report.Line{Label: "boundary", Name: r.Role.Boundary})
	}
	if asked := r.Role.Tags[render.TagPolicy]; asked != "" {
		lines = append(lines, report.Line{Label: "policy", Name: asked})
	}
	lines = append(lines, report.Line{Label: "on record", Name: recordedAt(r.Installed)})
	for _, pair := range [][2]string{
		{"account", record.Account},
		{"region", record.Region},
		{"issuer", record.Issuer},
		{"cluster", record.ClusterID},
		{"role", record.RoleARN},
		{"bucket", strings.TrimSpace(record.Bucket + " " + inBrackets(record.BucketOrigin))},
		{"project", record.NamespaceOrigin},
	} {
		if pair[1] != "" {
			lines = append(lines, report.Line{Name: pair[0] + " " + pair[1]})
		}
	}
	return lines
}

func recordedAt(i Installed) string {
	if i.Recorded.IsZero() {
		return i.Inventory
	}
	return fmt.Sprintf("%s, at %s, by version %s", phrase.Count(len(i.Objects), "object"), i.Recorded.UTC().Format(time.RFC3339), i.Version)
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}

// driftLines name what is not as install would make it: what is there, what would
// be, and who is on record for the difference.
func driftLines(d Drift) []report.Line {
	lines := []report.Line{{Label: "drift", Mark: d.Mark, Name: d.Text}}
	for _, role := range d.IAM {
		line := report.Line{Name: strings.TrimSpace("role " + strings.TrimPrefix(role.What, "role")), Text: announce.OneLine(role.Reason)}
		if role.Reason == "" {
			line.Text = announce.BeforeAfter(role.Before, role.After)
		}
		lines = append(lines, line)
	}
	for _, object := range d.Cluster {
		lines = append(lines, objectLines(object)...)
	}
	if slices.ContainsFunc(d.Cluster, func(o ObjectDrift) bool { return !o.ByOthers() }) {
		lines = append(lines, report.Line{Text: "where nobody is named, it may be what install was told: give status the same -f and --set"})
	}
	for _, unseen := range d.Unseen {
		lines = append(lines, report.Line{Mark: report.Unknown, Name: unseen})
	}
	return lines
}

func objectLines(o ObjectDrift) []report.Line {
	const most = 6 // fields, of one object
	lines := []report.Line{{Name: o.Object, Text: o.Why}}
	for n, c := range o.Changes {
		if n == most {
			lines = append(lines, report.Line{Text: "and " + phrase.Count(len(o.Changes)-most, "more field") + " (-o yaml has all)"})
			break
		}
		text := c.Path + ": " + clip(announce.InWords(c.Before)) + ", install would make it " + clip(announce.InWords(c.After))
		if c.Manager != "" {
			text += "   (changed by " + c.Manager + ")"
		}
		if n == 0 && o.Why == "" {
			lines[0].Text = text
			continue
		}
		lines = append(lines, report.Line{Text: text})
	}
	return lines
}

// clip keeps a value to a length that can be read in a line.
func clip(text string) string {
	const longest = 120
	text = announce.OneLine(text)
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest-3]) + "..."
	}
	return text
}
