package iam

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestWhole: the steps for who cannot look lead from nothing, and from a role
// where nothing is right, to a role that NewPlan has nothing to say about.
func TestWhole(t *testing.T) {
	const managed = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	boundary := "arn:aws:iam::123456789012:policy/edge"
	for name, c := range map[string]struct {
		options RoleOptions
		absent  string
		present string
	}{
		"usual":    {RoleOptions{}, "create-role put-policy", "update-trust tag-role put-policy"},
		"boundary": {RoleOptions{Boundary: boundary}, "create-role put-policy", "put-boundary update-trust tag-role put-policy"},
		"managed":  {RoleOptions{PolicyARN: managed}, "create-role attach-policy", "update-trust tag-role attach-policy delete-policy"},
	} {
		t.Run(name, func(t *testing.T) {
			r := desired(t, facts(), c.options)
			absent, present := r.Whole()
			if diff := cmp.Diff(c.absent, kinds(absent)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.present, kinds(present)); diff != "" {
				t.Error(diff)
			}
			for _, step := range append(absent, present...) {
				if step.Before != "" || step.Reason != "" && step.Kind != AttachPolicy {
					t.Errorf("%s speaks of what was: %q %q", step.Kind, step.Before, step.Reason)
				}
			}
			wantEnds(t, newFake(), r, absent)
			wantEnds(t, newFake(), r, append(absent, present...))
			spoilt := newFake()
			spoilt.roles[r.Name] = &role{
				arn: r.ARN, path: r.Path, trust: "{}", tags: map[string]string{"a": "b"},
				inline: map[string]string{PolicyName: "{}"},
			}
			wantEnds(t, spoilt, r, present)
		})
	}
}

// wantEnds walks the steps and wants the role they lead to.
func wantEnds(t *testing.T, api *fake, r Role, steps []Step) {
	t.Helper()
	ctx := t.Context()
	for _, step := range steps {
		if err := apply(ctx, api, r, step); err != nil {
			t.Fatalf("%s: %v", step.Kind, err)
		}
	}
	actual, err := Read(ctx, api, r.Name, true)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := NewPlan(r, actual, facts())
	if err != nil || !plan.Empty() {
		t.Errorf("left to do: %v, %v", plan, err)
	}
}

func TestSorted(t *testing.T) {
	one := Document{Version: policyVersion, Statement: []Statement{
		{Effect: "Deny", Action: Strings{"s3:*"}, Resource: Strings{"b", "a", "b"}},
		{
			Effect: "Allow", Action: Strings{"s3:PutObject", "s3:GetObject"}, Resource: Strings{"a"},
			Principal: map[string]Strings{"AWS": {"y", "x"}}, Condition: Condition{"StringEquals": {render.TagIssuer: {"2", "1"}}},
		},
	}}
	other := Document{Version: policyVersion, Statement: []Statement{
		{
			Effect: "Allow", Action: Strings{"s3:GetObject", "s3:PutObject"}, Resource: Strings{"a"},
			Principal: map[string]Strings{"AWS": {"x", "y"}}, Condition: Condition{"StringEquals": {render.TagIssuer: {"1", "2"}}},
		},
		{Effect: "Deny", Action: Strings{"s3:*"}, Resource: Strings{"a", "b"}},
	}}
	before := one.JSON()
	if diff := cmp.Diff(other.Sorted(), one.Sorted()); diff != "" {
		t.Error(diff)
	}
	if !one.Equal(one.Sorted()) || one.JSON() != before {
		t.Errorf("it means another thing now, or was changed itself: %s", one.JSON())
	}
}
