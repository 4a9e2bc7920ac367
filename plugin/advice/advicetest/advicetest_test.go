package advicetest

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
)

// TestJudges: the judges find each poison where it does harm, and nowhere else.
func TestJudges(t *testing.T) {
	for _, text := range []string{
		"oc get pod " + Quotes, `oc get pod "` + Quotes + `"`, "oc get pod '" + Quotes + "'", "oc get pod " + Mark,
		"use " + Mark + ": oc get pods", "there is $(touch MALLORY)", "oc get pods\nfix  touch MALLORY", "oc get pod 'x" + Control + "'",
		`oc get pod 'x'\''' touch MALLORY`, "oc get pod 'x", "oc get pod 'MALLORY",
		"the role's policy\n" + advice.Command("oc get pod", Quotes), "say \"x\n" + advice.Command("oc get pod", Quotes), "the role's policy",
	} {
		if Advice(text) == "" {
			t.Errorf("passes: %s", text)
		}
	}
	for _, text := range []string{"x" + Lines, "x" + Control} {
		if Sentence(text) == "" {
			t.Errorf("passes: %s", text)
		}
	}
	for _, text := range []string{
		advice.Command("oc get pod", Quotes, "-n", "demo"), advice.Command("oc get pod", Control) + "\n" + advice.Command("oc get pod", Lines),
		"you can look: " + advice.Command("oc get pod", Quotes), "pods: oc get pods -n demo",
	} {
		if complaint := Advice(text); complaint != "" {
			t.Errorf("%s: %s", complaint, text)
		}
	}
	if complaint := Sentence("it is called " + Quotes); complaint != "" {
		t.Error(complaint)
	}
}

// TestEach: every text gets its turn, alone.
func TestEach(t *testing.T) {
	document := map[string]any{"a": "1", "list": []any{map[string]any{"b": "2"}, int64(3)}, "kept": "4"}
	tries := map[string]int{}
	Each(document, func(path string) bool { return path == ".kept" }, func(path string, poisoned any) {
		tries[path]++
		changed := poisoned.(map[string]any)
		inner := changed["list"].([]any)[0].(map[string]any)["b"]
		if (changed["a"] == "1") == (inner == "2") || changed["kept"] != "4" {
			t.Errorf("%s: %v", path, poisoned)
		}
	})
	if len(tries) != 2 || tries[".a"] != 4 || tries[".list[].b"] != 4 {
		t.Error(tries)
	}
	if document["a"] != "1" || document["list"].([]any)[0].(map[string]any)["b"] != "2" {
		t.Errorf("the document itself was changed: %v", document)
	}
}
