package rolecode

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
)

// TestQuotaIsKept: a trust policy of exactly the quota is indented; one more character is
// too many.
func TestQuotaIsKept(t *testing.T) {
	of := func(n int) iam.Document {
		return iam.Document{Version: "2012-10-17", Statement: []iam.Statement{{Effect: "Allow", Action: iam.Strings{"sts:AssumeRole"}, Sid: strings.Repeat("a", n)}}}
	}
	fits := maxTrust - len(of(1).Pretty()) + 1
	for more, indented := range map[int]bool{0: true, 1: false} {
		if text := readable(of(fits + more)); strings.Contains(text, "\n") != indented || len(text) > maxTrust {
			t.Errorf("%d more than fit: %d characters", more, len(text))
		}
	}
}

// TestUnknownStep: a step that nobody knows is an error, and no command that does nothing.
func TestUnknownStep(t *testing.T) {
	odd := iam.Step{Kind: "odd"}
	s := app(t, factsIn("aws", "us-east-2"), iam.RoleOptions{})
	if r, err := requestOf(s.Role, odd); err == nil {
		t.Errorf("%+v", r)
	}
	for name, steps := range map[string][]iam.Step{"changed": {odd}, "made": {{Kind: iam.CreateRole}, odd}} {
		plan := &iam.Plan{Role: s.Role, Steps: steps}
		_, commands, err := Steps(s, plan)
		if made := plan.Creates(); made != (err == nil) { // of a role that is made all steps are known
			t.Errorf("%s: %v\n%s", name, err, commands)
		}
	}
}

// TestGuard: a role that is not ours is refused by its tags, unless it may be adopted; then
// by its ARN alone.
func TestGuard(t *testing.T) {
	for name, c := range map[string]struct {
		options   iam.RoleOptions
		cluster   string
		want, not string
	}{
		"ours":          {iam.RoleOptions{}, "11111111-aaaa-4bbb-8ccc-222222222222", `${tab}None"`, "the role of that name is $found"},
		"of no cluster": {iam.RoleOptions{}, "", "is not ours, by its ARN and tags", `${tab}None"`},
		"adopted":       {iam.RoleOptions{Adopt: true}, "", `refuse "the role of that name is $found, not $arn"`, "by its ARN and tags"},
	} {
		f := factsIn("aws", "us-east-2")
		f.ClusterID.Value = c.cluster
		text := printed(t, AWS, app(t, f, c.options))
		if !strings.Contains(text, c.want) || strings.Contains(text, c.not) {
			t.Errorf("%s: no %q, or %q, in\n%s", name, c.want, c.not, text)
		}
	}
}

// TestAccountsOfOthers: only the account of the role is a parameter of a template.
func TestAccountsOfOthers(t *testing.T) {
	s := app(t, factsIn("aws", "us-east-2"), iam.RoleOptions{})
	for name, c := range map[string]struct {
		values iam.Strings
		want   iam.Strings
	}{
		"the role's":  {iam.Strings{"123456789012"}, iam.Strings{"${Account}"}},
		"another":     {iam.Strings{"210987654321"}, iam.Strings{"210987654321"}},
		"one of both": {iam.Strings{"123456789012", "210987654321"}, iam.Strings{"123456789012", "210987654321"}},
	} {
		d := iam.Document{Statement: []iam.Statement{{Condition: iam.Condition{"StringEquals": {"aws:ResourceAccount": c.values}}}}}
		got := s.parametrized(d).Statement[0].Condition["StringEquals"]["aws:ResourceAccount"]
		if strings.Join(got, " ") != strings.Join(c.want, " ") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
