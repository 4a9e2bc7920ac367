package render

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func chartOf(t *testing.T) *Renderer {
	t.Helper()
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRecordIsAClosedList: what an install records, and what is read from a record, is of
// the keys that the schema marks alone: nothing that names an account, a role, a bucket or
// a Secret, or that widens what a pod may do.
func TestRecordIsAClosedList(t *testing.T) {
	r := chartOf(t)
	keys, err := r.chart.recordable()
	if want := []string{"commonLabels", "expose", "frontend", "ingress", "microservice", "nodeSelector", "podLabels", "route", "storage"}; err != nil || !slices.Equal(keys, want) {
		t.Errorf("recorded are %q, want %q, %v", keys, want, err)
	}
	o := Options{Set: []string{"microservice.replicas=3,expose=none,secrets.existing=true,podIdentity=webhook,scc.restricted=true,bucket.tags.a=b"}}
	text, err := r.Record(o)
	if want := `{"expose":"none","microservice":{"replicas":3}}`; err != nil || text != want {
		t.Errorf("%s, want %s, %v", text, want, err)
	}
	for key := range r.chart.chart.Values {
		// A space is in no key that a table of the user's own keys may have.
		value, _ := json.Marshal(map[string]any{key: map[string]any{"x z": "y"}})
		got := r.Recall(string(value), goodFacts())
		if len(got.Values) > 0 || len(got.Dropped) != 1 || strings.Contains(got.Dropped[0], "y") {
			t.Errorf("%s: %+v", key, got)
		}
	}
}

// TestRecall: what is legal is used, everything else is left out by itself, and nothing of
// it is repeated.
func TestRecall(t *testing.T) {
	r := chartOf(t)
	for name, c := range map[string]struct {
		text    string
		want    string
		known   bool
		dropped int
	}{
		"none":                  {"", `null`, false, 0},
		"an empty one":          {"{}", `{}`, true, 0},
		"legal":                 {`{"microservice":{"replicas":3},"frontend":{"image":{"tag":"9"}}}`, `{"frontend":{"image":{"tag":"9"}},"microservice":{"replicas":3}}`, true, 0},
		"left to an autoscaler": {`{"microservice":{"replicas":null}}`, `{"microservice":{"replicas":null}}`, true, 0},
		"one is not":            {`{"microservice":{"replicas":-1},"expose":"none"}`, `{"expose":"none"}`, true, 1},
		"no such value":         {`{"frontend":{"$(id)":1}}`, `{}`, true, 1},
		"not recorded":          {`{"aws":{"roleARN":"arn:aws:iam::123456789012:role/x"},"secrets":{"existing":true},"tags":{"a":"b"}}`, `{}`, true, 1},
		"what is not served":    {`{"expose":"route"}`, `{}`, true, 1},
		"no values":             {`[1]`, `null`, false, 1},
		"no YAML":               {"{a: b: c", `null`, false, 1},
		"too much":              {strings.Repeat("x", maxRecord+1), `null`, false, 1},
	} {
		facts := goodFacts()
		facts.APIVersions.Values = []string{"v1"}
		got := r.Recall(c.text, facts)
		have, _ := json.Marshal(got.Values)
		if string(have) != c.want || got.Known != c.known || len(got.Dropped) != c.dropped || strings.Contains(strings.Join(got.Dropped, ""), "$(id)") {
			t.Errorf("%s: %s, known %t, dropped %q", name, have, got.Known, got.Dropped)
		}
	}
}

// TestRecordedAreWeakest: what is given now replaces single values of the record, null
// included, and what is recorded then is both.
func TestRecordedAreWeakest(t *testing.T) {
	r := chartOf(t)
	o := Options{
		RoleARN:  "arn:aws:iam::012345678901:role/x",
		Recorded: map[string]any{"microservice": map[string]any{"replicas": 3.0, "image": map[string]any{"tag": "9"}}, "expose": "none"},
		Files:    []ValueFile{{Name: "f", Data: []byte("microservice: {replicas: null}")}},
		Set:      []string{"frontend.replicas=0"},
	}
	for range 2 { // the record is not changed by using it
		text, err := r.Record(o)
		if want := `{"expose":"none","frontend":{"replicas":0},"microservice":{"image":{"tag":"9"},"replicas":null}}`; err != nil || text != want {
			t.Errorf("%s, want %s, %v", text, want, err)
		}
	}
	lines, err := FromRecord(o)
	if want := []string{"expose=none", "microservice.image.tag=9"}; err != nil || !slices.Equal(lines, want) {
		t.Errorf("%q, want %q, %v", lines, want, err)
	}
	values, err := r.Values(goodFacts(), o)
	microservice, _ := values["microservice"].(map[string]any)
	if replicas, is := microservice["replicas"]; err != nil || !is || replicas != nil {
		t.Errorf("%v, %v", microservice, err)
	}
	if !Gives(o, "frontend.replicas") || Gives(o, "storage.size") {
		t.Error("what is given is not told from what is not")
	}
}
