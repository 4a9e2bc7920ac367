package announce

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

func TestKindsAreCounted(t *testing.T) {
	var refs []apply.Ref
	for _, kind := range []string{"Secret", "NetworkPolicy", "Route", "Secret", "NetworkPolicy"} {
		refs = append(refs, apply.Ref{Kind: kind})
	}
	if got, want := ByKind(refs), []string{"2 Secrets", "2 NetworkPolicies", "Route"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRoleChanges(t *testing.T) {
	if got := RoleChanges("arn", nil); got != nil {
		t.Errorf("no steps are no change: %v", got)
	}
	got := RoleChanges("arn", []iam.Step{
		{Kind: iam.UpdateTrust, What: "trust policy", Before: "old", After: "new"},
		{Kind: iam.PutPolicy, What: "inline policy", After: "new"},
	})
	want := []Change{{"Role arn", apply.Update, []apply.FieldChange{
		{Path: "trust policy", Before: "old", After: "new"},
		{Path: "inline policy", After: "new"},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if created := RoleChanges("arn", []iam.Step{{Kind: iam.CreateRole}}); created[0].Action != apply.Create {
		t.Errorf("%+v", created)
	}
}

func TestWrap(t *testing.T) {
	names := []string{strings.Repeat("a", 40), strings.Repeat("b", 40), "c"}
	if got, want := Wrap(names), names[0]+",\n"+names[1]+", c"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNamed(t *testing.T) {
	refs := []apply.Ref{{Kind: "Secret", Name: "a"}, {Kind: "Secret", Name: "b"}, {Kind: "Service", Name: "c"}}
	if diff := cmp.Diff([]string{"Secret a", "Secret b", "Service c"}, Named(refs)); diff != "" {
		t.Error(diff)
	}
	refs = append(refs, apply.Ref{Kind: "Route"}, apply.Ref{Kind: "Secret"})
	if diff := cmp.Diff([]string{"3 Secrets", "Service", "Route"}, Named(refs)); diff != "" {
		t.Error(diff)
	}
}

// TestRoleLeftBehind: a role of another name is told of when it is given up, and
// nothing is made of a record that is none.
func TestRoleLeftBehind(t *testing.T) {
	const used = "arn:aws:iam::123456789012:role/ostoy-s3/new"
	for record, want := range map[string]string{
		"": "", used: "", "not an ARN\x1b[2J": "", "arn:aws:iam::123456789012:role/x;y": "",
		"arn:aws:iam::123456789012:role/ostoy-s3/old": "aws iam list-role-tags --role-name ROLE",
	} {
		p := plan.Plan{Role: &iam.Plan{Role: iam.Role{ARN: used}}}
		p.Desired.Project.Inventory.RoleARN = record
		var talk strings.Builder
		RoleNotes(ui.New(&talk, ui.Style{}, time.Now), p, true)
		if text := talk.String(); want == "" && text != "" || !strings.Contains(text, want) {
			t.Errorf("%q: %q, want %q", record, text, want)
		}
	}
}

// TestF2LastRole: a role that only the record names is not to be deleted by a command to
// copy.
func TestF2LastRole(t *testing.T) {
	for role, want := range map[string]string{
		"arn:aws:iam::123456789012:role/Finance":                  "aws iam list-role-tags --role-name ROLE",
		"arn:aws:iam::123456789012:role/$(touch${IFS}/tmp/pwned)": "",
	} {
		p := plan.Plan{Role: &iam.Plan{Role: iam.Role{ARN: "arn:aws:iam::123456789012:role/ostoy-s3/r"}}}
		p.Desired.Project.Inventory.RoleARN = role
		var talk strings.Builder
		RoleNotes(ui.New(&talk, ui.Style{}, time.Now), p, false)
		if text := talk.String(); strings.Contains(text, "delete") || !strings.Contains(text, want) || want == "" && text != "" {
			t.Errorf("%q: %q", role, text)
		}
	}
}

// TestF5BeforeAfter: a change stays one line, whatever others wrote in the values.
func TestF5BeforeAfter(t *testing.T) {
	const poison = advicetest.Quotes + advicetest.Lines + advicetest.Control
	if got := BeforeAfter(poison, poison); strings.ContainsAny(got, "\n\x1b\u202e") {
		t.Errorf("%q", got)
	}
	if got := BeforeAfter("", ""); got != "(none) → (none)" {
		t.Errorf("%q", got)
	}
}
