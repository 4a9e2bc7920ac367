package checkup

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// report prints outcomes group by group, each as soon as it is whole.
type report struct {
	session *session.Session
	request Request
	checks  []check.Check
	seen    map[string]check.Outcome
	printed int // groups
	began   time.Time
}

func newReport(s *session.Session, request Request, checks []check.Check, began time.Time) *report {
	return &report{session: s, request: request, checks: checks, seen: map[string]check.Outcome{}, began: began}
}

// add takes an outcome. Groups are printed in their order, so that two runs can
// be compared.
func (r *report) add(outcome check.Outcome) {
	r.seen[outcome.ID] = outcome
	if r.request.Output != session.FormatTable {
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
			counts = append(counts, r.session.Report.Sign(m.mark)+fmt.Sprintf(" %d", n))
		}
	}
	r.session.Report.Linef("%-11s %s", group, strings.Join(counts, "   "))
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
	r.session.Report.Item(mark, o.ID, width, lines...)
}

// end prints what the format keeps for the end.
func (r *report) end(outcomes []check.Outcome) error {
	took := r.session.Now().Sub(r.began)
	switch r.request.Output {
	case session.FormatJSON:
		return r.json(outcomes, took)
	case session.FormatJUnit:
		return r.junit(outcomes, took)
	}
	r.session.Report.Linef("%s   %.1fs", tally(outcomes), took.Seconds())
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
	text := strings.Join(parts, ", ")
	if unseen := check.Having(outcomes, check.NotAllowed); len(unseen) > 0 {
		text += " (not allowed: " + strings.Join(ids(unseen), ", ") + ")"
	}
	return text
}

// checkDocument is one check in `check -o json` and `check --list -o json`.
type checkDocument struct {
	ID       string         `json:"id"`
	Group    check.Group    `json:"group"`
	Title    string         `json:"title"`
	Severity check.Severity `json:"severity"`
	Page     string         `json:"page"`
	Needs    []string       `json:"needs,omitempty"`
	Status   check.Status   `json:"status,omitempty"`
	What     string         `json:"what,omitempty"`
	Why      string         `json:"why,omitempty"`
	Next     string         `json:"next,omitempty"`
}

func documentOf(c check.Check) checkDocument {
	return checkDocument{ID: c.ID, Group: c.Group, Title: c.Title, Severity: c.Severity, Page: c.Page(), Needs: c.Needs}
}

// list prints which checks there are; it asks nobody.
func list(s *session.Session, checks []check.Check, format session.Format) error {
	if format == session.FormatJSON {
		documents := make([]checkDocument, len(checks))
		for i, c := range checks {
			documents[i] = documentOf(c)
		}
		return s.WriteJSON(map[string]any{"checks": documents})
	}
	table := [][]string{{"ID", "GROUP", "SEVERITY", "TITLE"}}
	for _, c := range checks {
		table = append(table, []string{c.ID, string(c.Group), string(c.Severity), c.Title})
	}
	return s.WriteTable(table)
}

// json is the document of `check -o json`.
func (r *report) json(outcomes []check.Outcome, took time.Duration) error {
	documents := make([]checkDocument, len(outcomes))
	counts := map[check.Status]int{}
	for i, o := range outcomes {
		d := documentOf(o.Check)
		d.Page = o.Page()
		d.Status, d.What, d.Why, d.Next = o.Status, o.What, o.Why, o.Next
		documents[i] = d
		counts[o.Status]++
	}
	return r.session.WriteJSON(map[string]any{
		"checks": documents, "counts": counts, "durationSeconds": took.Seconds(),
	})
}

// The elements of a JUnit report, as CI servers read it.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitMessage `xml:"failure"`
		Skipped *junitMessage `xml:"skipped"`
		Output  string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit is the report of `check -o junit`. A warning is a failure where
// --fail-on says so, else it is output.
func (r *report) junit(outcomes []check.Outcome, took time.Duration) error {
	suite := junitSuite{Name: "oc ostoy-s3 check", Tests: len(outcomes), Time: fmt.Sprintf("%.3f", took.Seconds())}
	for _, o := range outcomes {
		one := junitCase{Class: string(o.Group), Name: o.ID}
		text := slices.Concat(ui.Quoted(o.Why), []string{o.Next, o.Page()})
		message := &junitMessage{Message: o.What, Text: strings.TrimSpace(strings.Join(text, "\n"))}
		switch {
		case o.Status == check.Failed, o.Status == check.Warned && r.request.FailOn == check.Warning:
			one.Failure = message
			suite.Failures++
		case o.Status == check.Skipped, o.Status == check.NotAllowed:
			one.Skipped = &junitMessage{Message: strings.TrimSpace(string(o.Status) + " " + o.What), Text: o.Why}
			suite.Skipped++
		case o.Status == check.Warned:
			one.Output = "warning: " + o.What + "\n" + message.Text
		}
		suite.Cases = append(suite.Cases, one)
	}
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return r.session.WriteText(xml.Header + string(text) + "\n")
}
