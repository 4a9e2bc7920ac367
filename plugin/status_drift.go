package plugin

import (
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
)

// driftLines name what is not as install would make it: what is there, what would
// be, and who is on record for the difference.
func driftLines(d status.Drift) []statusLine {
	lines := []statusLine{{"drift", d.Mark, d.Text, ""}}
	for _, role := range d.IAM {
		lines = append(lines, statusLine{name: "role " + strings.TrimPrefix(role.What, "role"), text: oneLine(role.Reason)})
		if role.Reason == "" {
			lines[len(lines)-1].text = beforeAfter(role.Before, role.After)
		}
		lines[len(lines)-1].name = strings.TrimSpace(lines[len(lines)-1].name)
	}
	for _, object := range d.Cluster {
		lines = append(lines, objectLines(object)...)
	}
	if slices.ContainsFunc(d.Cluster, func(o status.ObjectDrift) bool { return !o.ByOthers() }) {
		lines = append(lines, statusLine{text: "where nobody is named, it may be what install was told: give status the same -f and --set"})
	}
	for _, unseen := range d.Unseen {
		lines = append(lines, statusLine{"", status.Unknown, unseen, ""})
	}
	return lines
}

func objectLines(o status.ObjectDrift) []statusLine {
	const most = 6 // fields, of one object
	lines := []statusLine{{name: o.Object, text: o.Why}}
	for n, c := range o.Changes {
		if n == most {
			lines = append(lines, statusLine{text: "and " + plural(int64(len(o.Changes)-most), "more field") + " (-o yaml has all)"})
			break
		}
		text := c.Path + ": " + clip(inWords(c.Before)) + ", install would make it " + clip(inWords(c.After))
		if c.Manager != "" {
			text += "   (changed by " + c.Manager + ")"
		}
		if n == 0 && o.Why == "" {
			lines[0].text = text
			continue
		}
		lines = append(lines, statusLine{text: text})
	}
	return lines
}

// clip keeps a value to a length that can be read in a line.
func clip(text string) string {
	const longest = 120
	text = oneLine(text)
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest-3]) + "..."
	}
	return text
}
