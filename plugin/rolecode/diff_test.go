package rolecode

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func planFor(t *testing.T, s Source, actual *iam.Actual) string {
	t.Helper()
	plan, err := iam.NewPlan(s.Role, actual, s.Facts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Diff(plan)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDiff(t *testing.T) {
	s := app(t, factsIn("aws", "us-east-2"), iam.RoleOptions{})
	as := func(change func(*iam.Actual)) *iam.Actual {
		a := &iam.Actual{
			Exists: true, ARN: s.Role.ARN, Path: s.Role.Path, Trust: s.Role.Trust.JSON(),
			Inline: s.Role.Policy.JSON(), Inlines: []string{iam.PolicyName}, Tags: render.OwnershipTags(s.Facts),
		}
		change(a)
		return a
	}
	for name, c := range map[string]struct {
		actual *iam.Actual
		want   []string
		no     []string
	}{
		"nothing": {as(func(*iam.Actual) {}), nil, []string{"a", "@", "+"}},
		"new": {
			&iam.Actual{},
			[]string{"--- trust policy, as it is\n+++ trust policy, as it should be\n@@ -0,0 ", "+  \"Statement\"", "+ostoy-s3/namespace=demo", "+++ inline policy ostoy-s3"},
			[]string{"\n-  "},
		},
		"another order is none": {
			as(func(a *iam.Actual) {
				a.Inline = strings.Replace(a.Inline, `"s3:GetObject","s3:PutObject"`, `"s3:PutObject","s3:GetObject","s3:DeleteObject"`, 1)
			}),
			[]string{"# it does not allow exactly what the app needs\n--- inline", "-        \"s3:DeleteObject\","},
			[]string{"trust policy", "tags", "-        \"s3:PutObject\""},
		},
		"text of theirs": {
			as(func(a *iam.Actual) { a.Trust = `{"NotAction":"\u001b[2J"}` }),
			[]string{"# the one there is not one of ours", `-"{\"NotAction\":`, "+{\n"},
			[]string{"\x1b"},
		},
		"tags": {
			as(func(a *iam.Actual) { delete(a.Tags, render.TagClusterID) }),
			[]string{"+++ tags, as it should be\n@@ -0,0 +1 @@\n+ostoy-s3/cluster-id=1111"},
			[]string{"policy"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := planFor(t, s, c.actual)
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, text)
				}
			}
			for _, no := range c.no {
				if strings.Contains(text, no) {
					t.Errorf("%q in\n%s", no, text)
				}
			}
		})
	}
}
