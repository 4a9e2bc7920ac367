package removal

import (
	"fmt"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// Announce prints the plan of a run that removes something.
func (ls Lines) Announce(to *ui.UI) {
	to.Line("")
	ls.table(to, "to remove", "to keep", "for you")
	to.Line("")
}

// Conclude prints what happened to everything, or, for a dry run, what would.
func (ls Lines) Conclude(to *ui.UI, dryRun bool) {
	switch {
	case dryRun:
		ls.table(to, "would remove", "would keep", "for you")
		to.Line("nothing was changed: this was a dry run")
	case !ls.Removes() && len(ls.With(Left)) == 0:
		ls.table(to, "", "kept", "")
		to.Line("nothing to remove")
	default:
		ls.table(to, "removed", "kept", "left for you")
	}
}

// table prints the lines by their fates, under a heading each.
func (ls Lines) table(to *ui.UI, removed, kept, left string) {
	width, name, why := 0, 0, 0
	for fate, heading := range map[Fate]string{Removed: removed, Kept: kept, Left: left} {
		if len(ls.With(fate)) > 0 {
			width = max(width, len(heading))
		}
	}
	for _, l := range ls.With(Kept) {
		name, why = max(name, len(l.Object)), max(why, len(l.reason()))
	}
	row := func(heading *string, text string) {
		to.Line(strings.TrimRight(fmt.Sprintf("%-*s  %s", width, *heading, text), " "))
		*heading = ""
	}
	if some := ls.With(Removed); len(some) > 0 {
		for text := range strings.SplitSeq(announce.Wrap(some.named()), "\n") {
			row(&removed, text)
		}
	}
	for _, l := range ls.With(Kept) {
		row(&kept, fmt.Sprintf("%-*s  %-*s  %s", name, l.Object, why, l.reason(), l.Next))
	}
	for _, l := range ls.With(Left) { // the reason is in the error that follows
		row(&left, l.Object+"  "+announce.OneLine(l.Next))
	}
}

func (l *Line) reason() string { return announce.OneLine(l.Why) }

// named are objects by their kinds, and the rest by name.
func (ls Lines) named() []string {
	var refs []apply.Ref
	var rest []string
	for _, l := range ls {
		switch l.Subject {
		case Object:
			refs = append(refs, l.Item.Ref)
		case BucketResource:
			refs = append(refs, apply.Ref{Kind: "Bucket object"})
		case Inventory:
			rest = append(rest, "inventory")
		default:
			rest = append(rest, l.Object)
		}
	}
	if len(refs) == 1 {
		return append([]string{strings.TrimSpace(refs[0].String())}, rest...)
	}
	return append(announce.ByKind(refs), rest...)
}

// Document is what -o json prints.
type Document struct {
	Namespace string  `json:"namespace"`
	DryRun    bool    `json:"dryRun,omitempty"`
	Removed   Lines   `json:"removed"`
	Kept      Lines   `json:"kept"`
	Left      Lines   `json:"left"`
	Seconds   float64 `json:"durationSeconds"`
}

// Document is the lines as a document.
func (ls Lines) Document(namespace string, dryRun bool, took time.Duration) Document {
	return Document{
		Namespace: namespace, DryRun: dryRun,
		Removed: ls.With(Removed), Kept: ls.With(Kept), Left: ls.With(Left), Seconds: took.Seconds(),
	}
}

// Leftovers is the error of kind Failed for what could not be removed; nil if that is
// nothing.
func (ls Lines) Leftovers() error {
	left := ls.With(Left)
	if len(left) == 0 {
		return nil
	}
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
	return problem.Fail("not everything could be removed", strings.Join(whys, "\n"), strings.Join(nexts, "\n"))
}

// notKnown begins what a run that was interrupted may have removed.
const notKnown = "it is not known whether this was removed, because no answer came: "

// SoFar says what a run that was interrupted has removed, and what it may have removed;
// more is what is not a line.
func (ls Lines) SoFar(more ...string) string {
	done := ls.where(func(l *Line) bool { return l.Done }).named()
	var unsure []string
	for _, l := range ls {
		if !l.Done {
			done, unsure = append(done, l.Steps...), append(unsure, l.Unsure...)
		}
	}
	var parts []string
	if done = append(done, more...); len(done) > 0 {
		parts = append(parts, "removed so far: "+strings.ReplaceAll(announce.Wrap(done), "\n", " "))
	}
	if len(unsure) > 0 {
		parts = append(parts, notKnown+strings.Join(unsure, ", "))
	}
	if len(parts) == 0 {
		return "nothing was removed"
	}
	return strings.Join(parts, "; ")
}
