package differ

import (
	"slices"
	"testing"
)

func TestExternalCommandIsReadAsKubectlDoes(t *testing.T) {
	for command, want := range map[string][]string{
		"diff":                      {"diff", "L", "M"},
		"colordiff -N -u":           {"colordiff", "L", "M", "-N", "-u"},
		"p --color=always a;b $(x)": {"p", "L", "M", "--color=always"},
		"p  -x ../y":                {"p", "L", "M", "-x"},
	} {
		name, args := externalCommand(command, "L", "M")
		if got := append([]string{name}, args...); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", command, got, want)
		}
	}
}
