package iam

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestPartsTellEveryStep: what Execute would do is in the parts, and nothing else.
func TestPartsTellEveryStep(t *testing.T) {
	const managed, edge = "arn:aws:iam::aws:policy/AmazonS3FullAccess", "arn:aws:iam::123456789012:policy/edge"
	for _, c := range []struct {
		name  string
		was   func(*Actual)
		o     RoleOptions
		parts string // name, then what Before and After have
	}{
		{"as it should be", func(*Actual) {}, RoleOptions{}, ""},
		{"new", func(a *Actual) { *a = Actual{} }, RoleOptions{Boundary: edge}, "role||arn trust-policy.json||2abc permissions-boundary||edge tags||managed-by permissions-policy.json||s3:GetObject"},
		{"trust of an old issuer", func(a *Actual) { a.Trust = strings.ReplaceAll(a.Trust, "2abc", "1old") }, RoleOptions{}, "trust-policy.json|1old|2abc"},
		{"policy widened", func(a *Actual) { a.Inline = strings.Replace(policyJSON, "s3:ListBucket", "s3:*", 1) }, RoleOptions{}, "permissions-policy.json|s3:*|s3:ListBucket"},
		{"boundary", func(a *Actual) { a.Boundary = edge + "2" }, RoleOptions{Boundary: edge}, "permissions-boundary|edge2|edge"},
		{"managed policy", func(*Actual) {}, RoleOptions{PolicyARN: managed}, "tags||AmazonS3FullAccess managed-policies||AmazonS3FullAccess permissions-policy.json|s3:GetObject|"},
		{"tag", func(a *Actual) { a.Tags[render.TagClusterID] = "" }, RoleOptions{Tags: map[string]string{"team": "blue"}}, "tags||team=blue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			actual := made(t, facts(), RoleOptions{})
			c.was(actual)
			plan, err := NewPlan(desired(t, facts(), c.o), actual, facts())
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Fields(c.parts)
			got := plan.Parts()
			if len(got) != len(want) {
				t.Fatalf("%d parts, want %d: %+v", len(got), len(want), got)
			}
			for n, part := range got {
				words := strings.Split(want[n], "|")
				if part.Name != words[0] || !has(part.Before, words[1]) || !has(part.After, words[2]) {
					t.Errorf("part %+v, want %q", part, want[n])
				}
			}
		})
	}
}

// TestPartsInOneOrder: what IAM takes for the same is the same, and the reason is
// told; of a text that no document is made of nothing is hidden.
func TestPartsInOneOrder(t *testing.T) {
	for name, c := range map[string]struct {
		was             func(*Actual)
		why, before, no string
	}{
		"values in another order": {
			func(a *Actual) {
				a.Inline = strings.Replace(policyJSON, `"s3:GetObject","s3:PutObject"`, `"s3:PutObject","s3:GetObject","s3:DeleteObject"`, 1)
			},
			"it does not allow exactly what the app needs", "\"s3:DeleteObject\",\n        \"s3:GetObject\",\n        \"s3:PutObject\"\n", "",
		},
		"text of theirs": {
			func(a *Actual) { a.Trust = `{"NotAction":"\u001b[2J"}` },
			"the one there is not one of ours", `{\"NotAction\":`, "\x1b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			actual := made(t, facts(), RoleOptions{})
			c.was(actual)
			plan, err := NewPlan(desired(t, facts(), RoleOptions{}), actual, facts())
			if err != nil {
				t.Fatal(err)
			}
			parts := plan.Parts()
			if len(parts) != 1 {
				t.Fatalf("%d parts: %+v", len(parts), parts)
			}
			part := parts[0]
			if !strings.Contains(part.Why, c.why) || !strings.Contains(part.Before, c.before) || c.no != "" && strings.Contains(part.Before, c.no) {
				t.Errorf("because %s\n%s", part.Why, part.Before)
			}
		})
	}
}

// has wants a text that ends in a newline, or none at all.
func has(text, part string) bool {
	if part == "" {
		return text == "" || strings.Contains(text, render.TagClusterID)
	}
	return strings.Contains(text, part) && strings.HasSuffix(text, "\n")
}
