package rolecode

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func stepsFor(t *testing.T, s Source, actual *iam.Actual) string {
	t.Helper()
	plan, err := iam.NewPlan(s.Role, actual, s.Facts)
	if err != nil {
		t.Fatal(err)
	}
	guard, commands, err := Steps(s, plan)
	if err != nil {
		t.Fatal(err)
	}
	return guard + commands
}

// TestStepsOfNewRole are the script without what makes it one, laid out anew.
func TestStepsOfNewRole(t *testing.T) {
	lines := func(text string) []string {
		all := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return line == "" })
		slices.Sort(all)
		return all
	}
	for name, options := range map[string]iam.RoleOptions{"plain": {}, "odd": odd()} {
		s := app(t, factsIn("aws", "us-east-2"), options)
		script := printed(t, AWS, s)
		head, rest, found := strings.Cut(script, "set -euo pipefail\n")
		if !found || !strings.HasPrefix(head, "#!") || !strings.Contains(rest, refusal) {
			t.Fatalf("%s: the script is\n%s", name, script)
		}
		want, got := lines(strings.Replace(rest, refusal, "", 1)), lines(stepsFor(t, s, &iam.Actual{}))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -script +steps\n%s", name, diff)
		}
	}
}

// TestStepsOfChange are those of the plan and no others, on a role that is ours.
func TestStepsOfChange(t *testing.T) {
	s := app(t, factsIn("aws", "us-east-2"), iam.RoleOptions{Tags: map[string]string{"team": "blue"}})
	tags := render.OwnershipTags(s.Facts)
	tags[render.TagBucket] = "demo-bucket"
	text := stepsFor(t, s, &iam.Actual{
		Exists: true, ARN: s.Role.ARN, Path: s.Role.Path, Trust: s.Role.Trust.JSON(), Tags: tags, Inlines: []string{iam.PolicyName},
	})
	for _, want := range []string{
		"\npolicy='{\n", "\ntags='[\n  {\n    \"Key\": \"team\",", "aws iam put-role-policy ", "aws iam tag-role ", "is not ours",
		"else\n  printf '%s\\n' \"$trouble\" >&2\n  exit 1\nfi\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, no := range []string{"trust=", "create-role", "update-assume-role-policy", "NoSuchEntity", "\"Key\": \"ostoy-s3"} {
		if strings.Contains(text, no) {
			t.Errorf("%q in\n%s", no, text)
		}
	}
}

// TestStepsOfTightening take the tutorial's policy off, if it is still on.
func TestStepsOfTightening(t *testing.T) {
	const full = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	s := app(t, factsIn("aws", "us-east-2"), iam.RoleOptions{Name: "ostoy-sa-role", Path: "/", Tighten: true})
	text := stepsFor(t, s, &iam.Actual{
		Exists: true, ARN: s.Role.ARN, Path: "/", Trust: s.Role.Trust.JSON(), Attached: []string{full},
	})
	put, off, tag := strings.Index(text, "aws iam put-role-policy "), strings.Index(text, "aws iam detach-role-policy "), strings.Index(text, "aws iam tag-role ")
	if tag < 0 || put < tag || off < put {
		t.Errorf("put at %d, detach at %d, tag at %d in\n%s", put, off, tag, text)
	}
	if want := "list-attached-role-policies"; strings.Count(text, want) != 1 || !strings.Contains(text, "--policy-arn='"+full) {
		t.Errorf("no %s, or not of that policy\n%s", want, text)
	}
}
