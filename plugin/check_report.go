package plugin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

// report prints outcomes group by group, each as soon as it is whole.
type report struct {
	app     *App
	request CheckRequest
	checks  []check.Check
	seen    map[string]check.Outcome
	printed int // groups
	began   time.Time
}

func (a *App) newReport(request CheckRequest, checks []check.Check, began time.Time) *report {
	return &report{app: a, request: request, checks: checks, seen: map[string]check.Outcome{}, began: began}
}

// add takes an outcome. Groups are printed in their order, so that two runs can
// be compared.
func (r *report) add(outcome check.Outcome) {
	r.seen[outcome.ID] = outcome
	if r.request.Output != FormatTable {
		return
	}
	for groups := check.Groups(); r.printed < len(groups); r.printed++ {
		outcomes, whole := r.group(groups[r.printed])
		if !whole {
			return
		}
		r.print(groups[r.printed], outcomes)
	}
}

// group are the outcomes of a group, and whether all of them are there.
func (r *report) group(group check.Group) (outcomes []check.Outcome, whole bool) {
	for _, c := range r.checks {
		if c.Group != group {
			continue
		}
		outcome, ended := r.seen[c.ID]
		if !ended {
			return nil, false
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes, true
}

// marks are the signs of outcomes, in the order in which they are counted.
func marks() []struct {
	mark     ui.Mark
	statuses []check.Status
} {
	return []struct {
		mark     ui.Mark
		statuses []check.Status
	}{
		{ui.Done, []check.Status{check.Passed}},
		{ui.Warned, []check.Status{check.Warned}},
		{ui.Failed, []check.Status{check.Failed}},
		{ui.Kept, []check.Status{check.Skipped, check.NotAllowed}},
	}
}

// print prints a group: how many ended how, and what is to be said of them.
func (r *report) print(group check.Group, outcomes []check.Outcome) {
	if len(outcomes) == 0 {
		return
	}
	var counts []string
	for _, m := range marks() {
		if n := len(check.Having(outcomes, m.statuses...)); n > 0 {
			counts = append(counts, r.app.Report.Sign(m.mark)+fmt.Sprintf(" %d", n))
		}
	}
	r.app.Report.Linef("%-11s %s", group, strings.Join(counts, "   "))
	for _, outcome := range outcomes {
		r.detail(outcome)
	}
}

// detail prints what a check has to say. What passed, and what was skipped
// because it needs another, says nothing unless asked.
func (r *report) detail(o check.Outcome) {
	quiet := o.Status == check.Passed || o.Status == check.Skipped
	if quiet && !r.request.Verbose {
		return
	}
	mark := ui.None
	for _, m := range marks() {
		if slices.Contains(m.statuses, o.Status) {
			mark = m.mark
		}
	}
	lines := slices.Concat(ui.Quoted(o.What), ui.Quoted(o.Why))
	switch o.Status {
	case check.Passed:
		lines = []string{o.Title}
	case check.Skipped:
		lines = ui.Quoted("skipped: " + o.Why)
	case check.NotAllowed:
		lines = ui.Quoted("not allowed: " + o.What + "; " + o.Why)
	}
	if o.Next != "" && !quiet {
		for n, line := range ui.Advised(o.Next) {
			lines = append(lines, []string{"fix  ", "     "}[min(n, 1)]+line)
		}
	}
	if !quiet {
		lines = append(lines, o.Page())
	}
	const width = 24
	r.app.Report.Item(mark, o.ID, width, lines...)
}

// end prints what the format keeps for the end.
func (r *report) end(outcomes []check.Outcome) error {
	took := r.app.Now().Sub(r.began)
	switch r.request.Output {
	case FormatJSON:
		return r.json(outcomes, took)
	case FormatJUnit:
		return r.junit(outcomes, took)
	}
	r.app.Report.Linef("%s   %.1fs", tally(outcomes), took.Seconds())
	return nil
}

// tally is how many ended how: "27 passed, 1 warning, 1 failed, 2 not looked at".
func tally(outcomes []check.Outcome) string {
	var parts []string
	for _, part := range []struct {
		word     string
		statuses []check.Status
	}{
		{"passed", []check.Status{check.Passed}},
		{"warned", []check.Status{check.Warned}},
		{"failed", []check.Status{check.Failed}},
		{"not looked at", []check.Status{check.Skipped, check.NotAllowed}},
	} {
		if n := len(check.Having(outcomes, part.statuses...)); n > 0 || part.word == "passed" {
			parts = append(parts, fmt.Sprintf("%d %s", n, part.word))
		}
	}
	return strings.Join(parts, ", ")
}
