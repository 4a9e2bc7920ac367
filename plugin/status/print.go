package status

import (
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/audit"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// isDocument reports whether a format is read by programs.
func isDocument(output session.Format) bool {
	return output == session.FormatJSON || output == session.FormatYAML
}

// printReport prints one install in the format that was asked for.
func printReport(s *session.Session, output session.Format, r Report) error {
	if isDocument(output) {
		return s.WriteDocument(output, r)
	}
	report.Print(s.Report, lines(r, s.Now(), output == session.FormatWide))
	if r.Audit != nil {
		s.Report.Line("")
		printAudit(s.Report, *r.Audit, s.Now())
	}
	return nil
}

// printAudit prints who used the role and who changed it.
func printAudit(to *ui.UI, seen audit.Report, now time.Time) {
	to.Linef("who took the role in the last %s", report.Age(seen.Since, now))
	printEvents(to, seen.Assumed)
	to.Line("who changed it")
	printEvents(to, seen.Changed)
	for _, region := range seen.Unseen {
		to.Linef("  %s events in %s could not be looked at: needs cloudtrail:LookupEvents there", to.Sign(ui.Kept), advice.Region(region))
	}
	if seen.More {
		to.Line("  there are more: these are the newest, and refused calls are found only among the newest of the account")
	}
	to.Line("  an event arrives up to 15 minutes after the call")
	switch d := seen.DataEvents; d.State {
	case audit.On:
		to.Linef("%s reads and writes of objects are logged by trail %s", to.Sign(ui.Done), strings.Join(plain.InLines(d.Trails), ", "))
	case audit.Off:
		to.Linef("%s reads and writes of objects are logged nowhere: no trail has data events of S3 switched on for this bucket", to.Sign(ui.Warned))
	default:
		to.Linef("%s reads and writes of objects are logged only where a trail has data events enabled; whether one has is not known (%s)", to.Sign(ui.Kept), plain.InLine(d.Why))
	}
}

func printEvents(to *ui.UI, events []audit.Event) {
	if len(events) == 0 {
		to.Line("  nobody")
		return
	}
	rows := [][]string{{"TIME", "WHO", "FROM", "CALL", "REGION", "ERROR"}}
	for _, e := range events {
		rows = append(rows, []string{e.Time.UTC().Format(time.RFC3339), e.Who, e.From, e.Name, e.Region, e.Error})
	}
	for _, line := range session.Columns(rows) {
		to.Line("  " + line)
	}
}
