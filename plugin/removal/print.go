package removal

import (
	"fmt"
	"slices"
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
	kinds := ls.With(Kept).alike()
	for _, alike := range kinds {
		if l := alike[0]; len(alike) == 1 {
			name, why = max(name, len(l.Object)), max(why, len(l.reason()))
		}
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
	for _, alike := range kinds {
		l := alike[0]
		if len(alike) == 1 {
			row(&kept, fmt.Sprintf("%-*s  %-*s  %s", name, l.Object, why, l.reason(), l.Next))
			continue
		}
		for text := range strings.SplitSeq(announce.Wrap(alike.objects()), "\n") {
			row(&kept, text)
		}
		row(&kept, "  "+l.reason())
		if next := alike.next(); next != "" {
			row(&kept, "  "+next)
		}
	}
	for _, l := range ls.With(Left) { // the reason is in the error that follows
		row(&left, l.Object+"  "+announce.OneLine(l.Next))
	}
}

// alike are the lines with the same reason and the same next step, each where the first of
// them is.
func (ls Lines) alike() []Lines {
	return ls.grouped(func(a, b *Line) bool { return a.Why != "" && a.reason() == b.reason() && a.pattern() == b.pattern() })
}

// byReason are the lines with the same reason.
func (ls Lines) byReason() []Lines {
	return ls.grouped(func(a, b *Line) bool { return a.reason() == b.reason() })
}

func (ls Lines) grouped(same func(a, b *Line) bool) []Lines {
	var all []Lines
	for _, l := range ls {
		at := slices.IndexFunc(all, func(of Lines) bool { return same(of[0], l) })
		if at < 0 {
			all = append(all, Lines{l})
		} else {
			all[at] = append(all[at], l)
		}
	}
	return all
}

// pattern is the next step without the thing.
func (l *Line) pattern() string {
	if l.Nexts == nil {
		return l.Next
	}
	return l.Nexts([]string{"NAME"})
}

// next is the next step for lines that are alike.
func (ls Lines) next() string {
	if ls[0].Nexts == nil {
		return ls[0].Next
	}
	var words []string
	for _, l := range ls {
		words = append(words, l.Item.Ref.Resource())
	}
	return ls[0].Nexts(words)
}

func (ls Lines) objects() []string {
	var names []string
	for _, l := range ls {
		names = append(names, l.Object)
	}
	return names
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
	for _, alike := range left.byReason() {
		whys = append(whys, strings.Join(alike.objects(), ", ")+": "+alike[0].reason())
		for _, same := range alike.alike() {
			if next := same.next(); next != "" && !slices.Contains(nexts, next) {
				nexts = append(nexts, next)
			}
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
