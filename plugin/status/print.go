package status

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/audit"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/presence"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
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

// table is the document of `status -A -o json`.
type table struct {
	Installs []Row `json:"installs"`
	// Kept are the projects in which the app is not installed, and what is kept of it.
	Kept []presence.Document `json:"notInstalled,omitempty"`
	// Unreadable is how many projects may not be read: what is installed there is
	// not in the list.
	Unreadable int      `json:"unreadableProjects,omitempty"`
	Notes      []string `json:"notes,omitempty"`
}

// printAll prints all installs. The table goes to stdout, so that it can be cut
// and sorted; what is wrong with whom is told on stderr.
func printAll(s *session.Session, output session.Format, t table) error {
	if isDocument(output) {
		return s.WriteDocument(output, t)
	}
	if len(t.Installs) > 0 {
		wide := output == session.FormatWide
		text := [][]string{head(wide)}
		for _, row := range t.Installs {
			text = append(text, cells(row, s.Now(), wide))
		}
		for _, line := range session.Columns(text) {
			s.Report.Line(line)
		}
	}
	for _, row := range t.Installs {
		if len(row.Problems) > 0 {
			s.UI.Marked(row.Mark.Sign(), "%s", plain.InLine(row.Namespace+"  "+summed(row.Problems)))
		}
	}
	for _, one := range t.Kept {
		s.UI.Marked(ui.Kept, "%s", plain.InLine(one.Namespace+"  "+one.Words()))
	}
	for _, note := range t.Notes {
		s.UI.Marked(ui.Kept, "%s", plain.InLine(note))
	}
	return nil
}

func head(wide bool) []string {
	columns := []string{"PROJECT", "BUCKET"}
	if wide {
		columns = append(columns, "OBJECTS")
	}
	columns = append(columns, "ROLE", "PODS", "DRIFT", "URL", "AGE")
	if wide {
		columns = append(columns, "REGION", "VERSION", "BY", "ROLE ARN")
	}
	return columns
}

func cells(row Row, now time.Time, wide bool) []string {
	text := []string{row.Namespace, row.Bucket}
	if wide {
		text = append(text, counted(row))
	}
	text = append(text, string(row.Role), fmt.Sprintf("%d/%d", row.Ready, row.Want), row.Drift, cmp.Or(row.URL, "<none>"), since(row, now))
	if wide {
		text = append(text, cmp.Or(row.Region, "<none>"), cmp.Or(row.Version, "<none>"), cmp.Or(row.By, "<none>"), cmp.Or(row.RoleARN, "<none>"))
	}
	return text
}

func counted(row Row) string {
	switch {
	case row.Objects == nil:
		return "?"
	case row.More:
		return strconv.FormatInt(*row.Objects, 10) + "+"
	}
	return strconv.FormatInt(*row.Objects, 10)
}

func since(row Row, now time.Time) string {
	if row.Since.IsZero() {
		return "?"
	}
	return report.Age(row.Since, now)
}

// summed is the worst of what is wrong with one install, for one line.
func summed(problems []string) string {
	const most = 2
	if len(problems) <= most {
		return strings.Join(problems, "; ")
	}
	return strings.Join(problems[:most], "; ") + "; and " + strconv.Itoa(len(problems)-most) + " more"
}

// searched says which projects were looked at, "" if all of the cluster.
func searched(lists live.Everywhere) string {
	unreadable := len(lists.Unreadable)
	switch read := phrase.Count(len(lists.Searched)-unreadable, "project"); {
	case lists.Searched == nil:
		return ""
	case lists.Alone:
		return "you may list neither the whole cluster nor your projects: looked in project " + lists.Searched[0] + " only"
	case unreadable > 0:
		return fmt.Sprintf("you may not list the whole cluster: looked in the %s that you may read; %s could not be read", read, phrase.Count(unreadable, "more project"))
	default:
		return fmt.Sprintf("you may not list the whole cluster: looked in the %s that you may see", read)
	}
}

// notes are what a reader must know of the table as a whole. unlisted is why roles could
// not be listed.
func (o overview) notes(rows []Row, unlisted error, detailed bool) []string {
	var notes []string
	if text := searched(o.lists); text != "" {
		notes = append(notes, text)
	}
	for _, k := range listedKinds() {
		if err := o.lists.Unseen[k.Resource]; err != nil {
			notes = append(notes, k.Resource.Resource+" could not be listed: "+report.Why(err))
		}
	}
	switch {
	case len(rows) == 0 && len(o.lists.Unreadable) > 0:
		return append(notes, "nothing is installed in the projects that could be read")
	case len(rows) == 0:
		return append(notes, "nothing is installed")
	case o.from.noAWS != nil:
		notes = append(notes, "roles were not looked at: "+awserr.Redact(announce.OneLine(o.from.noAWS.Error())))
	case awserr.Denied(unlisted):
		notes = append(notes, "roles were asked for one by one, since you may not list them: needs iam:ListRoles")
	}
	if !detailed {
		notes = append(notes, "what the roles may do, and what is in the buckets, takes requests for each install: -o wide")
	}
	return notes
}
