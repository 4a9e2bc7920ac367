package rolecode

import (
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
)

// text is the role for people.
func (s Source) text() string {
	var b strings.Builder
	for _, part := range partsOf(s.Role) {
		fmt.Fprintf(&b, "%s\n%s\n\n", part.what, indented(part.text))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// part is one thing about a role.
type part struct{ what, text string }

// partsOf are all parts of a role.
func partsOf(r iam.Role) []part {
	parts := []part{
		{what: "role", text: "name         " + r.Name + "\npath         " + r.Path + "\narn          " + r.ARN + "\ndescription  " + r.Description},
	}
	if r.Boundary != "" {
		parts = append(parts, part{what: "permissions boundary", text: r.Boundary})
	}
	parts = append(parts, part{what: "trust policy", text: r.Trust.Sorted().Pretty()})
	if r.Policy != nil {
		parts = append(parts, part{what: "inline policy " + iam.PolicyName, text: r.Policy.Sorted().Pretty()})
	} else {
		parts = append(parts, part{what: "managed policy", text: r.PolicyARN})
	}
	return append(parts, part{what: "tags", text: iam.TagLines(r.Tags)})
}

func indented(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
