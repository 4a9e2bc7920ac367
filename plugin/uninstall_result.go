package plugin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// uninstallResult is the document of `uninstall -o json`.
type uninstallResult struct {
	Namespace string  `json:"namespace"`
	DryRun    bool    `json:"dryRun,omitempty"`
	Removed   []*line `json:"removed"`
	Kept      []*line `json:"kept"`
	Left      []*line `json:"left"`
	Seconds   float64 `json:"durationSeconds"`
}

// conclude prints what became of everything, and is an error where something
// that was to go could not.
func (u *uninstall) conclude() error {
	switch {
	case u.request.DryRun:
		u.table(map[fate]string{fateRemoved: "would remove", fateKept: "would keep", fateLeft: "for you"})
		u.UI.Line("nothing was changed: this was a dry run")
	case !u.somethingToDo() && len(u.withFate(fateLeft)) == 0:
		u.table(map[fate]string{fateKept: "kept"})
		u.UI.Line("nothing to remove")
	default:
		u.table(map[fate]string{fateRemoved: "removed", fateKept: "kept", fateLeft: "left for you"})
	}
	if err := u.print(); err != nil {
		return err
	}
	return u.leftovers()
}

func (u *uninstall) withFate(f fate) []*line { return withFate(u.lines, f) }

// withFate are the lines of a fate; never nil.
func withFate(all []*line, f fate) []*line {
	lines := []*line{}
	for _, l := range all {
		if l.fate == f {
			lines = append(lines, l)
		}
	}
	return lines
}

func (u *uninstall) table(headings map[fate]string) { u.fates(u.lines, headings) }

// fates prints lines by fate, under the given headings.
func (a *App) fates(lines []*line, headings map[fate]string) {
	width, name, why := 0, 0, 0
	for f, heading := range headings {
		for _, l := range withFate(lines, f) {
			width = max(width, len(heading))
			if f == fateKept {
				name, why = max(name, len(l.Object)), max(why, len(l.reason()))
			}
		}
	}
	row := func(heading, text string) {
		a.UI.Line(strings.TrimRight(fmt.Sprintf("%-*s  %s", width, heading, text), " "))
	}
	if removed := withFate(lines, fateRemoved); headings[fateRemoved] != "" && len(removed) > 0 {
		heading := headings[fateRemoved]
		for _, text := range strings.Split(wrap(inKinds(removed)), "\n") {
			row(heading, text)
			heading = ""
		}
	}
	heading := headings[fateKept]
	for _, l := range withFate(lines, fateKept) {
		row(heading, fmt.Sprintf("%-*s  %-*s  %s", name, l.Object, why, l.reason(), l.Next))
		heading = ""
	}
	heading = headings[fateLeft]
	for _, l := range withFate(lines, fateLeft) { // why is told by the error that follows
		row(heading, l.Object+"  "+oneLine(l.Next))
		heading = ""
	}
}

func (l *line) reason() string { return oneLine(l.Why) }

// inKinds names what was removed: objects by their kinds, the rest by name.
func inKinds(lines []*line) []string {
	var refs []apply.Ref
	var rest []string
	for _, l := range lines {
		switch {
		case l.about == anObject:
			refs = append(refs, l.item.Ref)
		case l.about == theBucketObject:
			refs = append(refs, apply.Ref{Kind: "Bucket object"})
		case l.about == theInventory:
			rest = append(rest, "inventory")
		default:
			rest = append(rest, l.Object)
		}
	}
	if len(refs) == 1 {
		return append([]string{strings.TrimSpace(refs[0].String())}, rest...)
	}
	return append(byKind(refs), rest...)
}

// amount is what is in a bucket, in words: "12 objects, 3 older versions, 3.4 MiB".
func amount(c *bucket.Contents) string {
	if c == nil {
		return "what is in it could not be counted"
	}
	text := plural(c.Objects, "object")
	if c.Versions > 0 {
		text += ", " + plural(c.Versions, "older version")
	}
	if c.DeleteMarkers > 0 {
		text += ", " + plural(c.DeleteMarkers, "delete marker")
	}
	text += ", " + inBytes(c.Bytes)
	if c.Partial {
		text += " (older versions not counted: needs s3:ListBucketVersions)"
	}
	return text
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "Policy"); ok {
		return fmt.Sprintf("%d %sPolicies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func inBytes(n int64) string {
	const step = 1024
	if n < step {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value /= step; value < step {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// print writes the document, where it was asked for.
func (u *uninstall) print() error {
	if u.request.Output != FormatJSON {
		return nil
	}
	return u.WriteJSON(uninstallDocument(u.namespace(), u.request.DryRun, u.lines, u.Now().Sub(u.started)))
}

func uninstallDocument(namespace string, dryRun bool, lines []*line, took time.Duration) uninstallResult {
	return uninstallResult{
		Namespace: namespace, DryRun: dryRun,
		Removed: withFate(lines, fateRemoved), Kept: withFate(lines, fateKept), Left: withFate(lines, fateLeft),
		Seconds: took.Seconds(),
	}
}

func (u *uninstall) leftovers() error { return leftovers(u.lines) }

// leftovers is the error for what could not be removed.
func leftovers(lines []*line) error {
	left := withFate(lines, fateLeft)
	if len(left) == 0 {
		return nil
	}
	p := &problem.Error{Kind: problem.Failed, What: "not everything could be removed"}
	var whys, nexts []string
	for _, l := range left {
		whys = append(whys, l.Object+": "+l.reason())
		if l.Next != "" {
			nexts = append(nexts, l.Next)
		}
	}
	if !strings.HasSuffix(strings.Join(nexts, "\n"), "run the same command again") {
		nexts = append(nexts, "then run the same command again")
	}
	p.Why, p.Next = strings.Join(whys, "\n"), strings.Join(nexts, "\n")
	return p
}

// doneSoFar says what a run that was cut off has done.
func (u *uninstall) doneSoFar() string {
	text := doneOf(u.lines)
	if l := u.one(theBucket); u.emptied > 0 && !l.done {
		text = strings.TrimPrefix(text+", "+plural(u.emptied, "version")+" in "+l.Object, ", ")
	}
	return removedSoFar(text)
}

// doneOf names what was really removed, "" where nothing was.
func doneOf(lines []*line) string {
	done := slices.DeleteFunc(slices.Clone(lines), func(l *line) bool { return !l.done })
	return strings.ReplaceAll(wrap(inKinds(done)), "\n", " ")
}

func removedSoFar(text string) string {
	if text == "" {
		return "nothing was removed"
	}
	return "removed so far: " + text
}
