package announce

import (
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// FromRecord are the rows of the values of the last install that are used again.
func FromRecord(lines []string) []ui.Row {
	if len(lines) == 0 {
		return nil
	}
	return []ui.Row{{Label: "values", Text: strings.Join(plain.InLines(lines), "\n"), From: "the record"}}
}

// Recalled prints what is used again of the last install, and what is not. head are rows to
// be printed with it.
func Recalled(to *ui.UI, of plan.Recalled, head ...ui.Row) {
	Dropped(to, of.Dropped)
	if of.Doubt != "" {
		to.Warn(plain.InLine("the last install left the role to another tool (--iam=skip), as its inventory (ConfigMap ostoy-s3) says, and this one does not: "+of.Doubt), advice.ManagedByOthers)
	}
	if of.Skips {
		head = append(head, ui.Row{Label: "role", Text: "used as it is (--iam=skip)", From: "the record and IAM; --iam=apply ends it"})
	}
	to.Rows(append(head, FromRecord(of.Lines)...))
}

// Dropped warns of values of the record that are not used.
func Dropped(to *ui.UI, dropped []string) {
	for _, why := range dropped {
		to.Warn(plain.InLine("inventory (ConfigMap ostoy-s3): "+why), "to set a value, give it by -f or --set; --reset-values removes the recorded ones")
	}
}

// Returning says which values return to their defaults.
func Returning(returns []string) string {
	return plain.InLine("the inventory has no values of the last install, and these return to their defaults: " + strings.Join(returns, ", "))
}

// Warnings prints what checks warn of. What could not be looked at because permissions are
// missing is one warning, of however many checks.
func Warnings(to *ui.UI, outcomes []check.Outcome) {
	var unseen []string
	for _, o := range outcomes {
		if text := plain.InLine(o.What + ": " + o.Why); o.Status == check.NotAllowed && o.Next == "" {
			unseen = append(unseen, text)
		} else {
			to.Warn(text, o.Next)
		}
	}
	switch {
	case len(unseen) == 1:
		to.Warn(unseen[0], "")
	case len(unseen) > 1:
		to.Warn(strings.Join(append([]string{phrase.Count(len(unseen), "check") + " could not look, because permissions are missing"}, unseen...), "\n"), "")
	}
}
