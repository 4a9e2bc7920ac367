package rolecode

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
)

// text is the role for people.
func (s Source) text() string {
	var b strings.Builder
	for _, part := range partsOf(s.Role) {
		fmt.Fprintf(&b, "%s\n%s\n\n", part.what, indented(part.after))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// part is one thing about a role, as it is and as it should be; "" is nothing.
type part struct{ what, why, before, after string }

// partsOf are all parts of a role that is not there yet.
func partsOf(r iam.Role) []part {
	parts := []part{
		{what: "role", after: "name         " + r.Name + "\npath         " + r.Path + "\narn          " + r.ARN + "\ndescription  " + r.Description},
	}
	if r.Boundary != "" {
		parts = append(parts, part{what: "permissions boundary", after: r.Boundary})
	}
	parts = append(parts, part{what: "trust policy", after: r.Trust.Sorted().Pretty()})
	if r.Policy != nil {
		parts = append(parts, part{what: "inline policy " + iam.PolicyName, after: r.Policy.Sorted().Pretty()})
	} else {
		parts = append(parts, part{what: "managed policy", after: r.PolicyARN})
	}
	return append(parts, part{what: "tags", after: tagLines(r.Tags)})
}

// Diff tells what a plan changes as one unified diff: a file for each part of the
// role, documents with their statements and values in one order, so that only
// what IAM takes for a difference is one. Empty if the plan is.
func Diff(plan *iam.Plan) (string, error) {
	if plan.Creates() {
		return unified(partsOf(plan.Role))
	}
	var parts []part
	for _, step := range plan.Steps {
		parts = append(parts, part{step.What, step.Reason, canonical(step.Before), canonical(step.After)})
	}
	return unified(parts)
}

func unified(parts []part) (string, error) {
	const context = 3
	var b strings.Builder
	for _, p := range parts {
		text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
			A: lines(p.before), FromFile: p.what + ", as it is",
			B: lines(p.after), ToFile: p.what + ", as it should be",
			Context: context,
		})
		if err != nil {
			return "", fmt.Errorf("compare the %s: %w", p.what, err)
		}
		if p.why != "" {
			text = "# " + strings.ReplaceAll(p.why, "\n", "\n# ") + "\n" + text
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// lines are the lines of a text, each with its end; none of nothing.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	return slices.Collect(strings.Lines(text + "\n"))
}

// canonical lays out a policy document in one order, and leaves any other text as
// it is.
func canonical(text string) string {
	if !json.Valid([]byte(text)) {
		return text
	}
	document, err := iam.ParseDocument(text)
	if err != nil {
		return text
	}
	return document.Sorted().Pretty()
}

func tagLines(tags map[string]string) string {
	var out []string
	for _, t := range tagList(tags) {
		out = append(out, t.Key+"="+t.Value)
	}
	return strings.Join(out, "\n")
}

func indented(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
