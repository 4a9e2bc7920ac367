package checkup

import (
	"bytes"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

// TestF5Stdout: no format lets through what controls a terminal.
func TestF5Stdout(t *testing.T) {
	const evil = "a\x1b[31m\u009b2J\r\u202e\u2028\xffb"
	outcomes := []check.Outcome{{Finding: check.Refuse(evil, evil+"\nfix  rm -rf ~", evil)}}
	for _, format := range []session.Format{session.FormatTable, session.FormatJSON, session.FormatJUnit} {
		var out bytes.Buffer
		r := newReport(writingTo(&out), Request{Output: format}, nil, writingTo(&out).Now())
		r.detail(outcomes[0])
		if format != session.FormatTable {
			out.Reset()
		}
		if err := r.end(outcomes); err != nil {
			t.Fatal(err)
		}
		got := out.String()
		if strings.ContainsAny(got, "\x1b\u009b\r\u202e\u2028\ufffd") || strings.Contains(got, "\xff") || !strings.Contains(got, "b") ||
			strings.Contains(got, `\u001b`) || strings.Contains(got, `\u202e`) {
			t.Errorf("%s: %q", format, got)
		}
	}
}

// TestF2Report: what a check repeats of others stands behind a bar, so that it looks like
// no line of the report.
func TestF2Report(t *testing.T) {
	outcome := check.Outcome{Finding: check.Finding{Status: check.Failed, What: "it broke", Why: "it said:\nfix  rm -rf ~\n✔ 17", Next: "oc get pods"}}
	outcome.ID = "app-crash"
	var out bytes.Buffer
	(&report{session: writingTo(&out)}).detail(outcome)
	want := `  FAIL app-crash               it broke
                            it said:
                            | fix  rm -rf ~
                            | ✔ 17
                            fix  oc get pods
`
	if got := out.String(); !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
