package plugin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/audit"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

// print prints one install in the format that was asked for.
func (s *statusRun) print(report status.Report) error {
	if s.request.Output == FormatJSON || s.request.Output == FormatYAML {
		return s.document(report)
	}
	now := s.Now()
	for _, line := range s.drawn(statusLines(report, now, s.request.Output == FormatWide)) {
		s.Report.Line(line)
	}
	if report.Audit != nil {
		s.Report.Line("")
		s.printAudit(*report.Audit, now)
	}
	return nil
}

// document prints anything in the format that was asked for.
func (s *statusRun) document(value any) error { return s.WriteDocument(s.request.Output, value) }

// drawn are the lines with their columns aligned. A name that is longer than the
// column pushes its text aside and nobody else's. Each stays one line, whatever others
// wrote in it.
func (a *App) drawn(lines []statusLine) []string {
	const widest = 44
	label, name := 0, 0
	lines = slices.Clone(lines)
	for i := range lines {
		l := &lines[i]
		l.name, l.text = inLine(l.name), inLine(l.text)
		if l.label == "" && l.name == "" && ui.LikeOurs(l.text) {
			l.text = ui.Quoted(l.text)[0]
		}
	}
	for _, l := range lines {
		label = max(label, len(l.label))
		if n := len([]rune(l.name)); l.text != "" && n <= widest {
			name = max(name, n)
		}
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		pad := strings.Repeat(" ", max(0, name-len([]rune(l.name))))
		text := fmt.Sprintf("%-*s  %s %s%s  %s", label, l.label, a.Report.Sign(signOf(l.mark)), l.name, pad, l.text)
		out[i] = strings.TrimRight(text, " ")
	}
	return out
}

func signOf(mark status.Mark) ui.Mark {
	switch mark {
	case status.OK:
		return ui.Done
	case status.Busy:
		return ui.Busy
	case status.Warning:
		return ui.Warned
	case status.Wrong:
		return ui.Failed
	case status.Unknown:
		return ui.Kept
	}
	return ui.None
}

// printAudit prints who used the role and who changed it.
func (s *statusRun) printAudit(report audit.Report, now time.Time) {
	s.Report.Linef("who took the role in the last %s", age(report.Since, now))
	s.printEvents(report.Assumed)
	s.Report.Line("who changed it")
	s.printEvents(report.Changed)
	for _, region := range report.Unseen {
		s.Report.Linef("  %s events in %s could not be looked at: needs cloudtrail:LookupEvents there", s.Report.Sign(ui.Kept), advice.Region(region))
	}
	if report.More {
		s.Report.Line("  there are more: these are the newest, and refused calls are found only among the newest of the account")
	}
	s.Report.Line("  an event arrives up to 15 minutes after the call")
	switch d := report.DataEvents; d.State {
	case audit.On:
		s.Report.Linef("%s reads and writes of objects are logged by trail %s", s.Report.Sign(ui.Done), strings.Join(inLines(d.Trails), ", "))
	case audit.Off:
		s.Report.Linef("%s reads and writes of objects are logged nowhere: no trail has data events of S3 switched on for this bucket", s.Report.Sign(ui.Warned))
	default:
		s.Report.Linef("%s reads and writes of objects are logged only where a trail has data events enabled; whether one has is not known (%s)", s.Report.Sign(ui.Kept), inLine(d.Why))
	}
}

func (s *statusRun) printEvents(events []audit.Event) {
	if len(events) == 0 {
		s.Report.Line("  nobody")
		return
	}
	rows := [][]string{{"TIME", "WHO", "FROM", "CALL", "REGION", "ERROR"}}
	for _, e := range events {
		rows = append(rows, []string{e.Time.UTC().Format(time.RFC3339), e.Who, e.From, e.Name, e.Region, e.Error})
	}
	for _, line := range session.Columns(rows) {
		s.Report.Line("  " + line)
	}
}
