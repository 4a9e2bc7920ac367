package iam

import (
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
	gone := *actual
	gone.Inline = ""
	if kept := (ControllerOptions{}).Keeping(&gone, recorded, f); kept.BucketPattern != "ostoy-*-bucket" {
		t.Errorf("no policy: %+v", kept)
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
