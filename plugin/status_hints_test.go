package plugin

import (
	"slices"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
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
		r := status.Report{}
		for _, hint := range c.hints {
			r.Pods = append(r.Pods, status.Pod{Part: status.Part{Mark: status.Wrong, Hint: hint}})
		}
		if got := hintsOf(r); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
