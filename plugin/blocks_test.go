package plugin

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
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
func blockPrinters() map[string]func(a *App, next string) {
	return map[string]func(a *App, next string){
		"an error":  func(a *App, next string) { a.UI.Problem("what", "why", next, "") },
		"a warning": func(a *App, next string) { a.UI.Warn("what", next) },
		"a check": func(a *App, next string) {
			outcome := check.Outcome{Finding: check.Refuse("what", "why", next)}
			(&report{app: a}).detail(outcome)
		},
		"status": func(a *App, next string) {
			r := status.Report{Pods: []status.Pod{{Part: status.Part{Mark: status.Wrong, Hint: next}}}}
			for _, line := range a.drawn(hintLines(hintsOf(r))) {
				a.Report.Line(line)
			}
		},
		"several errors": func(a *App, next string) {
			told := &problem.Error{What: "what", Next: next}
			a.UI.Problem(told.What, told.Why, told.Next, told.More)
			a.UI.Problem(told.What, told.Why, told.Next, told.More)
		},
	}
}

// printed is the block of what to do without the labels, as somebody copies it.
func printed(print func(a *App, next string), next string) string {
	var out bytes.Buffer
	a := &App{&session.Session{Streams: genericiooptions.IOStreams{Out: &out, ErrOut: &out}, Now: time.Now}}
	a.Report = ui.New(&out, ui.Style{}, time.Now)
	a.UI = a.Report
	print(a, next)
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
