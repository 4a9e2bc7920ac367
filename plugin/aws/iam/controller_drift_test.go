package iam

import (
	"slices"
	"strings"
	"testing"
)

// TestF1RecordedPatternCountsMore: a policy that somebody widened does not become what
// the next run wants.
func TestF1RecordedPatternCountsMore(t *testing.T) {
	f := controllerFacts()
	wide, err := DesiredController(f, ControllerOptions{BucketPattern: "*"})
	if err != nil {
		t.Fatal(err)
	}
	actual := &Actual{Exists: true, ARN: wide.ARN, Path: "/ostoy-s3-controller/", Tags: wide.Tags, Inline: wide.Policy.JSON()}
	recorded := ControllerOptions{BucketPattern: "ostoy-*-bucket"}
	for want, given := range map[string]ControllerOptions{"ostoy-*-bucket": {}, "team-*": {BucketPattern: "team-*"}} {
		if kept := given.Keeping(actual, recorded, f); kept.BucketPattern != want {
			t.Errorf("%+v", kept)
		}
	}
	if kept := (ControllerOptions{}).Keeping(actual, ControllerOptions{}, f); kept.BucketPattern != "*" {
		t.Errorf("nothing on record: %+v", kept)
	}
}

// TestF1RecordGivesNothing: who edits the inventory gets no permission by it.
func TestF1RecordGivesNothing(t *testing.T) {
	f := controllerFacts()
	role, err := DesiredController(f, ControllerOptions{BucketPattern: "ostoy-*-bucket"})
	if err != nil {
		t.Fatal(err)
	}
	two := *role.Policy
	two.Statement = append(slices.Clone(two.Statement), controllerPolicy("team-*", "aws", f.Account.Value).Statement...)
	for name, c := range map[string]struct{ inline, recorded, want string }{
		"wider":              {role.Policy.JSON(), "*", "ostoy-*-bucket"},
		"another":            {role.Policy.JSON(), "team-*", "ostoy-*-bucket"},
		"narrower":           {role.Policy.JSON(), "ostoy-1-bucket", "ostoy-1-bucket"},
		"no policy":          {"", "*", ""},
		"two patterns":       {two.JSON(), "team-*", ""},
		"nothing that reads": {"{}", "team-*", ""},
	} {
		actual := &Actual{Exists: true, ARN: role.ARN, Path: "/ostoy-s3-controller/", Tags: role.Tags, Inline: c.inline}
		if kept := (ControllerOptions{}).Keeping(actual, ControllerOptions{BucketPattern: c.recorded}, f); kept.BucketPattern != c.want {
			t.Errorf("%s: %+v", name, kept)
		}
	}
}

func TestF1PatternDrift(t *testing.T) {
	policy := func(pattern string) string {
		d := controllerPolicy(pattern, "aws", reachAccount)
		return d.JSON()
	}
	for _, c := range []struct{ inline, recorded, says string }{
		{policy("ostoy-*"), "ostoy-*", ""},
		{policy("*"), "", ""},
		{policy("*"), "ostoy-*", "has the bucket pattern *; the recorded bucket pattern is ostoy-*"},
		{"", "ostoy-*", "does not exist; the recorded"},
		{"{}", "ostoy-*", "does not have one bucket pattern; the recorded"},
	} {
		if got := PatternDrift(c.inline, c.recorded, reachAccount); (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%.40s, %s: %q", c.inline, c.recorded, got)
		}
	}
}
