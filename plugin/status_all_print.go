package plugin

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

// overviewDocument is the document of `status -A -o json`.
type overviewDocument struct {
	Installs []status.Row `json:"installs"`
	// Unreadable is how many projects may not be read: what is installed there is
	// not in the list.
	Unreadable int      `json:"unreadableProjects,omitempty"`
	Notes      []string `json:"notes,omitempty"`
}

// printAll prints all installs. The table goes to stdout, so that it can be cut
// and sorted; what is wrong with whom is told on stderr.
func (o *overview) printAll(rows []status.Row) error {
	notes := o.notes(rows)
	if o.request.Output == FormatJSON || o.request.Output == FormatYAML {
		return o.document(overviewDocument{rows, len(o.seen.Unreadable), notes})
	}
	if len(rows) > 0 {
		table := [][]string{head(o.request.Output == FormatWide)}
		for _, row := range rows {
			table = append(table, cells(row, o.Now(), o.request.Output == FormatWide))
		}
		for _, line := range session.Columns(table) {
			o.Report.Line(line)
		}
	}
	for _, row := range rows {
		if len(row.Problems) > 0 {
			o.UI.Marked(signOf(row.Mark), "%s", inLine(row.Namespace+"  "+summed(row.Problems)))
		}
	}
	for _, note := range notes {
		o.UI.Marked(ui.Kept, "%s", inLine(note))
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

func cells(row status.Row, now time.Time, wide bool) []string {
	text := []string{row.Namespace, row.Bucket}
	if wide {
		text = append(text, objects(row))
	}
	text = append(text, string(row.Role), fmt.Sprintf("%d/%d", row.Ready, row.Want), row.Drift, orNone(row.URL), since(row, now))
	if wide {
		text = append(text, orNone(row.Region), orNone(row.Version), orNone(row.By), orNone(row.RoleARN))
	}
	return text
}

func objects(row status.Row) string {
	switch {
	case row.Objects == nil:
		return "?"
	case row.More:
		return strconv.FormatInt(*row.Objects, 10) + "+"
	}
	return strconv.FormatInt(*row.Objects, 10)
}

func since(row status.Row, now time.Time) string {
	if row.Since.IsZero() {
		return "?"
	}
	return age(row.Since, now)
}

// orNone is how kubectl shows an empty cell.
func orNone(text string) string {
	if text == "" {
		return "<none>"
	}
	return text
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
func (o *overview) searched() string {
	unreadable := len(o.seen.Unreadable)
	switch read := plural(int64(len(o.seen.Searched)-unreadable), "project"); {
	case o.seen.Searched == nil:
		return ""
	case o.seen.Alone:
		return "you may list neither the whole cluster nor your projects: looked in project " + o.seen.Searched[0] + " only"
	case unreadable > 0:
		return fmt.Sprintf("you may not list the whole cluster: looked in the %s that you may read; %s could not be read", read, plural(int64(unreadable), "more project"))
	default:
		return fmt.Sprintf("you may not list the whole cluster: looked in the %s that you may see", read)
	}
}

// notes are what a reader must know of the table as a whole.
func (o *overview) notes(rows []status.Row) []string {
	var notes []string
	if searched := o.searched(); searched != "" {
		notes = append(notes, searched)
	}
	for _, k := range listedKinds() {
		if err := o.seen.Unseen[k.Resource]; err != nil {
			notes = append(notes, k.Resource.Resource+" could not be listed: "+status.Why(err))
		}
	}
	switch {
	case len(rows) == 0 && len(o.seen.Unreadable) > 0:
		return append(notes, "nothing is installed in the projects that could be read")
	case len(rows) == 0:
		return append(notes, "nothing is installed")
	case o.noAWS != nil:
		notes = append(notes, "roles were not looked at: "+awserr.Redact(oneLine(o.noAWS.Error())))
	case awserr.Denied(o.roles.err):
		notes = append(notes, "roles were asked for one by one, since you may not list them: needs iam:ListRoles")
	}
	if !o.request.detailed() {
		notes = append(notes, "what the roles may do, and what is in the buckets, takes requests for each install: -o wide")
	}
	return notes
}
