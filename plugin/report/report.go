// Package report is what the commands that tell how things are have in common: how a part
// is (Part, with its Mark), what to do about it, and the lines in which a person reads
// that. Status speaks of an install with it, controller status of the ACK S3 controllers.
//
// It asks nobody and knows no clock: the time is given.
package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// Mark is how something is to be taken.
type Mark string

// The marks, from good to bad; Unknown is none of these.
const (
	OK      Mark = "ok"
	Busy    Mark = "busy" // on its way
	Warning Mark = "warning"
	Wrong   Mark = "wrong"
	Unknown Mark = "unknown" // this user may not see it, or nobody answered
)

// Bad reports whether there is something to do about it.
func (m Mark) Bad() bool { return m == Wrong || m == Warning }

// Sign is what stands for it in a line.
func (m Mark) Sign() ui.Mark {
	switch m {
	case OK:
		return ui.Done
	case Busy:
		return ui.Busy
	case Warning:
		return ui.Warned
	case Wrong:
		return ui.Failed
	case Unknown:
		return ui.Kept
	}
	return ui.None
}

// Worst is the worst mark that is known.
func Worst(marks ...Mark) Mark {
	order := map[Mark]int{OK: 0, Busy: 1, Warning: 2, Wrong: 3}
	bad := OK
	for _, m := range marks {
		if order[m] > order[bad] {
			bad = m
		}
	}
	return bad
}

// Part is one thing of what is told.
type Part struct {
	Mark Mark   `json:"state"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"` // what to type, where something is wrong
}

// Settled takes a state for what it is once it has lasted as long as its object: that is
// the most that can be told by one look.
func Settled(s health.State, object *unstructured.Unstructured, now time.Time) Part {
	age := now.Sub(object.GetCreationTimestamp().Time)
	for s.Late != nil && age >= s.After {
		s = *s.Late
	}
	return Of(s)
}

// Of is the Part of a state as it is now.
func Of(s health.State) Part { return Part{MarkOf(s), plain.Line(s.Text), s.Hint} }

// MarkOf is how a state is to be taken.
func MarkOf(s health.State) Mark {
	switch {
	case s.Ready:
		return OK
	case s.Level == health.Fail:
		return Wrong
	case s.Level == health.Warn:
		return Warning
	}
	return Busy
}

// Unseen is the Part of what could not be looked at.
func Unseen(err error) Part { return Part{Mark: Unknown, Text: Why(err)} }

// Why is a refusal in a few words: which permission is missing, else the error itself on
// one line.
func Why(err error) string {
	var status apierrors.APIStatus
	if !apierrors.IsForbidden(err) || !errors.As(err, &status) {
		return plain.Said(err.Error())
	}
	if what := refusedKind(status); what != "" {
		return notAllowed(what)
	}
	return "not allowed"
}

func notAllowed(kinds ...string) string {
	return "not allowed: needs get and list on " + strings.Join(kinds, ", ")
}

// refusedKind is the kind that a refusal is about, "" if it does not say.
func refusedKind(status apierrors.APIStatus) string {
	d := status.Status().Details
	switch {
	case d == nil:
		return ""
	case d.Group != "":
		return d.Kind + "." + d.Group
	}
	return d.Kind
}

// Unread says why objects could not be read: each cause once, with the names of all of its
// objects. That a permission is missing is one cause, of however many kinds.
func Unread(names []string, errs []error) []string {
	type cause struct{ names, kinds []string }
	var whys []string
	causes := map[string]*cause{}
	for n, err := range errs {
		why, kind := Why(err), ""
		var status apierrors.APIStatus
		if apierrors.IsForbidden(err) && errors.As(err, &status) {
			if kind = refusedKind(status); kind != "" {
				why = notAllowed()
			}
		}
		if causes[why] == nil {
			causes[why] = &cause{}
			whys = append(whys, why)
		}
		of := causes[why]
		of.names = append(of.names, names[n])
		if kind != "" && !slices.Contains(of.kinds, kind) {
			of.kinds = append(of.kinds, kind)
		}
	}
	lines := make([]string, 0, len(whys))
	for _, why := range whys {
		of := causes[why]
		if len(of.kinds) > 0 {
			why = notAllowed(of.kinds...)
		}
		lines = append(lines, strings.Join(of.names, ", ")+": "+why)
	}
	return lines
}

// Line is one line of a report: what it is about, how that is, its name, what there is to
// say. Without a label it belongs to the line above it.
type Line struct {
	Label string
	Mark  Mark // "" is a line without a mark
	Name  string
	Text  string
}

// Line is the line about a part.
func (p Part) Line(label, name string) Line { return Line{label, p.Mark, name, p.Text} }

// Print prints lines with their columns aligned. A name that is longer than the column
// moves only its own text. Each stays one line, whatever others wrote in it.
func Print(to *ui.UI, lines []Line) {
	const widest = 44
	label, name := 0, 0
	lines = slices.Clone(lines)
	for i := range lines {
		l := &lines[i]
		l.Name, l.Text = plain.InLine(l.Name), plain.InLine(l.Text)
		if l.Label == "" && l.Name == "" && ui.LikeOurs(l.Text) {
			l.Text = ui.Quoted(l.Text)[0]
		}
		label = max(label, len(l.Label))
		if n := len([]rune(l.Name)); l.Text != "" && n <= widest {
			name = max(name, n)
		}
	}
	for _, l := range lines {
		pad := strings.Repeat(" ", max(0, name-len([]rune(l.Name))))
		text := fmt.Sprintf("%-*s  %s %s%s  %s", label, l.Label, to.Sign(l.Mark.Sign()), l.Name, pad, l.Text)
		to.Line(strings.TrimRight(text, " "))
	}
}

// Try are the lines that say what to do about parts, a line for each command.
func Try(parts []Part) []Line {
	var lines []Line
	for _, hint := range Hints(parts) {
		for _, line := range ui.Advised(hint) {
			lines = append(lines, Line{Name: line})
		}
	}
	if len(lines) > 0 {
		lines[0].Label = "try"
	}
	return lines
}

// Hints are the commands that put right what is bad, each once. Those of a hint of several
// steps stay together, in their order: none is left out because an earlier hint has it, too.
func Hints(parts []Part) []string {
	var hints []string
	for _, p := range parts {
		if !p.Mark.Bad() || p.Hint == "" {
			continue
		}
		lines := strings.Split(p.Hint, "\n")
		told := false
		for at := range hints {
			rest := hints[at:]
			told = told || len(rest) >= len(lines) && slices.Equal(rest[:len(lines)], lines)
		}
		if !told {
			hints = append(hints, lines...)
		}
	}
	return hints
}

// Ago is how long ago something was.
func Ago(then, now time.Time) string { return Age(then, now) + " ago" }

// Age is a time as kubectl tells ages.
func Age(then, now time.Time) string { return duration.HumanDuration(max(0, now.Sub(then))) }

// RoleLabel is the path and name of a role, without what all ARNs begin with.
func RoleLabel(arn string) string {
	_, label, _ := strings.Cut(arn, ":role/")
	return label
}
