package ui

import (
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
