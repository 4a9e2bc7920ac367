package report

import (
	"slices"
	"testing"
)

// TestHintsStayWhole: a hint is printed once, and each hint of several lines has all of
// them, in their order.
func TestHintsStayWhole(t *testing.T) {
	for name, c := range map[string]struct{ hints, want []string }{
		"the same":          {[]string{"oc a", "oc a", "oc b"}, []string{"oc a", "oc b"}},
		"the same, longer":  {[]string{"oc a\noc b", "oc a\noc b"}, []string{"oc a", "oc b"}},
		"a part of another": {[]string{"oc a\noc b", "oc b"}, []string{"oc a", "oc b"}},
		"a step in common":  {[]string{"if x: oc a\nthen: oc z", "if y: oc b\nthen: oc z"}, []string{"if x: oc a", "then: oc z", "if y: oc b", "then: oc z"}},
		"in another order":  {[]string{"oc b", "oc a", "oc a\noc b"}, []string{"oc b", "oc a", "oc a", "oc b"}},
	} {
		var parts []Part
		for _, hint := range c.hints {
			parts = append(parts, Part{Mark: Wrong, Hint: hint}, Part{Mark: OK, Hint: "of what is good"}, Part{Mark: Warning})
		}
		if got := Hints(parts); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
