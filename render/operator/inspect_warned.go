package operator

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// warnedIn reads what the API server found when it checked the types in the policy's
// expressions ("Type checking" in the Kubernetes documentation of Validating Admission
// Policy): the first warning, and how many more there are.
func warnedIn(policy *unstructured.Unstructured) string {
	warnings, _, err := unstructured.NestedSlice(policy.Object, "status", "typeChecking", "expressionWarnings")
	switch {
	case err != nil:
		return "status.typeChecking cannot be read"
	case len(warnings) == 0:
		return ""
	}
	first, _ := warnings[0].(map[string]any)
	field, text := textIn(first, "fieldRef"), textIn(first, "warning")
	said := oneLine(field + ": " + text)
	if more := len(warnings) - 1; more > 0 {
		said += fmt.Sprintf(" (and %d more)", more)
	}
	return said
}

// oneLine is a text of the API server in one line of bearable length.
func oneLine(text string) string {
	const longest = 300
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + " ..."
	}
	return text
}
