package operator

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF1Warned: a policy of whose expressions the API server warns is not in order, and
// the warning is one line without control characters.
func TestF1Warned(t *testing.T) {
	facts := render.Facts{Issuer: render.Fact{Value: "https://issuer.example.com"}}
	one := func(text string) map[string]any {
		return map[string]any{"fieldRef": "spec.validations[1].expression", "warning": text}
	}
	for name, c := range map[string]struct {
		status map[string]any
		want   string // "" is in order
		more   string
	}{
		"not checked yet": {nil, "", ""},
		"no warnings":     {map[string]any{"typeChecking": map[string]any{}}, "", ""},
		"a warning":       {warnings(one("Bucket: ERROR:\n | object.x\x1b[2J\n | ^")), "spec.validations[1].expression: Bucket: ERROR: | object.x [2J | ^", ""},
		"two":             {warnings(one("a"), one("b")), "spec.validations[1].expression: a (and 1 more)", ""},
		"a long one":      {warnings(one(strings.Repeat("x", 5000))), "spec.validations[1].expression: xxx", "xxx..."},
		"unreadable":      {map[string]any{"typeChecking": map[string]any{"expressionWarnings": "x"}}, "cannot be read", ""},
	} {
		t.Run(name, func(t *testing.T) {
			both := AdmissionPolicy(facts, nil)
			if c.status != nil {
				both[0].Object["status"] = c.status
			}
			seen := Inspect(both[0], both[1])
			state, _, why := seen.State()
			if (state == PolicyEnforced) != (c.want == "") || !strings.Contains(why, c.want) || !strings.HasSuffix(why, c.more) || len(why) > 500 {
				t.Errorf("%s: %q", state, why)
			}
		})
	}
}

func warnings(some ...any) map[string]any {
	return map[string]any{"typeChecking": map[string]any{"expressionWarnings": some}}
}
