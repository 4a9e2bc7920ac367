package checkup

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// TestF2WholeBlock: of all lines that stand behind try and fix, copied together, a shell
// runs nothing that a value in them says. The values are those that a quotation, what
// hides secrets, what cuts long texts, or the sentence in the line before could break.
func TestF2WholeBlock(t *testing.T) {
	values := []string{
		"x signature=y", "$(touch MALLORY) '", "' $(touch MALLORY) '", advicetest.Quotes, advicetest.Secret, advicetest.Lines + advicetest.Control,
		"it's", `\`, `"`, "https://a:$(touch MALLORY)@b", strings.Repeat("x", 590) + "' $(touch MALLORY) '",
	}
	sentences := []string{"ask for the role's policy", "say \"x", "wait; then", `a \`, "the role's: " + advice.Command("oc get pod", "$(touch MALLORY)")}
	for name, print := range blockPrinters() {
		var all strings.Builder
		for n, first := range values {
			second := values[(n+1)%len(values)]
			block := []string{advice.Command("oc get pod", first), advice.MergePatch(map[string]string{"a": second}, "x"), advice.To(advice.Command("oc x", second), first)}
			all.WriteString(printed(print, strings.Join(block, "\n")))
			for _, sentence := range sentences {
				all.WriteString(printed(print, sentence+"\n"+advice.Command("oc get pod", first)))
			}
		}
		if block := all.String(); !strings.Contains(block, "$(touch MALLORY)") || advicetest.Paste(t, block) {
			t.Errorf("%s: a value was run, or none is there, of\n%s", name, block)
		}
	}
}

// blockPrinters print what to do in every way that there is.
func blockPrinters() map[string]func(s *session.Session, next string) {
	return map[string]func(s *session.Session, next string){
		"an error":  func(s *session.Session, next string) { s.UI.Problem("what", "why", next, "") },
		"a warning": func(s *session.Session, next string) { s.UI.Warn("what", next) },
		"a check": func(s *session.Session, next string) {
			outcome := check.Outcome{Finding: check.Refuse("what", "why", next)}
			(&report{session: s}).detail(outcome)
		},
		"several errors": func(s *session.Session, next string) {
			told := &problem.Error{What: "what", Next: next}
			s.UI.Problem(told.What, told.Why, told.Next, told.More)
			s.UI.Problem(told.What, told.Why, told.Next, told.More)
		},
	}
}

// printed is the block of what to do without the labels, as somebody copies it.
func printed(print func(s *session.Session, next string), next string) string {
	var out bytes.Buffer
	print(writingTo(&out), next)
	var block strings.Builder
	in := false
	for line := range strings.Lines(out.String()) {
		text := strings.TrimLeft(line, " ")
		for _, label := range []string{"try ", "fix "} {
			if rest, begins := strings.CutPrefix(text, label); begins {
				in, text = true, strings.TrimLeft(rest, " ")
			}
		}
		if in = in && !strings.HasPrefix(text, "docs/"); in {
			block.WriteString(text)
		}
	}
	return block.String()
}

// writingTo is a session that writes everything there.
func writingTo(out *bytes.Buffer) *session.Session {
	to := ui.New(out, ui.Style{}, time.Now)
	return &session.Session{Streams: genericiooptions.IOStreams{Out: out, ErrOut: out}, UI: to, Report: to, Now: time.Now}
}
