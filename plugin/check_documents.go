package plugin

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

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

// listChecks prints which checks there are; it asks nobody.
func (a *App) listChecks(checks []check.Check, format Format) error {
	if format == FormatJSON {
		documents := make([]checkDocument, len(checks))
		for i, c := range checks {
			documents[i] = documentOf(c)
		}
		return a.WriteJSON(map[string]any{"checks": documents})
	}
	table := [][]string{{"ID", "GROUP", "SEVERITY", "TITLE"}}
	for _, c := range checks {
		table = append(table, []string{c.ID, string(c.Group), string(c.Severity), c.Title})
	}
	return a.WriteTable(table)
}

// json is the document of `check -o json`.
func (r *report) json(outcomes []check.Outcome, took time.Duration) error {
	documents := make([]checkDocument, len(outcomes))
	counts := map[check.Status]int{}
	for i, o := range outcomes {
		d := documentOf(o.Check)
		d.Status, d.What, d.Why, d.Next = o.Status, o.What, o.Why, o.Next
		documents[i] = d
		counts[o.Status]++
	}
	return r.app.WriteJSON(map[string]any{
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
	return r.app.WriteText(xml.Header + string(text) + "\n")
}
