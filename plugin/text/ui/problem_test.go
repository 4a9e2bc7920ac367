package ui

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestF2SecretsInAdvice: a line of advice with something like a secret in it is left out
// as a whole: a part of it that is replaced could take a quotation mark away.
func TestF2SecretsInAdvice(t *testing.T) {
	got := talk(Style{}, func(u *UI) {
		u.Problem("w", "", "oc get pods -n 'x signature=y'\noc get pods -n '$(touch P) '\\'''\noc get pods", "")
	})
	want := "FAIL w\n  try   (hidden)\n        oc get pods -n '$(touch P) '\\'''\n        oc get pods\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestF2OpenQuotes: no line of advice changes how a shell reads the next one.
func TestF2OpenQuotes(t *testing.T) {
	const value = "oc get pods -n '$(touch P) '"
	for line, want := range map[string]string{
		value:                            value,
		"ask for the role's policy":      "ask for the role\u2019s policy",
		"say \"x":                        "say \u201dx",
		"log in (oc login); it's easier": "log in (oc login); it\u2019s easier",
		`a \`:                            "(hidden)",
		"the role's: " + value:           "(hidden)",
	} {
		if got := Advised(line + "\n" + value); !slices.Equal(got, []string{want, value}) {
			t.Errorf("%s becomes %q", line, got)
		}
	}
}
