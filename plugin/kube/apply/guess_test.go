package apply

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGuess: planning that only reads tells the same changes as the server,
// and nothing where there is nothing.
func TestGuess(t *testing.T) {
	s := newServer(t)
	run(t, s.applier(Options{}), testSet(), Record{})
	guessed := func() *Plan {
		t.Helper()
		s.seen()
		p, err := plan(t, s.applier(Options{How: Guess}), testSet(), Record{})
		if err != nil {
			t.Fatal(err)
		}
		if sent := s.seen(); slices.ContainsFunc(sent, func(line string) bool { return !strings.HasPrefix(line, "GET ") }) {
			t.Errorf("planning sent %v", sent)
		}
		return p
	}
	if p := guessed(); p.Changed() {
		t.Errorf("something would change: %v", actions(p))
	}
	s.edit(RefOf(testBucket()), "kubectl-edit", func(bucket map[string]any) {
		bucket["spec"].(map[string]any)["publicAccessBlock"].(map[string]any)["blockPublicPolicy"] = false
	})
	s.edit(RefOf(testSecret()), "kubectl-edit", func(secret map[string]any) {
		secret["data"].(map[string]any)["secret.txt"] = "b3RoZXI="
	})
	told, err := plan(t, s.applier(Options{}), testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	p := guessed()
	for _, kind := range []string{"Bucket", "Secret", "Deployment"} {
		if d := cmp.Diff(item(t, told, kind).Changes, item(t, p, kind).Changes); d != "" {
			t.Errorf("%s: the guess is another than the server's answer\n%s", kind, d)
		}
	}
	if d := cmp.Diff(actions(told), actions(p)); d != "" {
		t.Error(d)
	}
}

func TestOverlay(t *testing.T) {
	live := map[string]any{
		"kept": "by others", "changed": "a",
		"named":  []any{map[string]any{"name": "one", "own": "default"}, map[string]any{"name": "other"}},
		"placed": []any{map[string]any{"a": "1", "own": "default"}},
		"plain":  []any{"x", "y"},
	}
	want := map[string]any{
		"changed": "b", "new": "c",
		"named":  []any{map[string]any{"name": "one", "v": "2"}, map[string]any{"name": "three"}},
		"placed": []any{map[string]any{"a": "3"}},
		"plain":  []any{"z"},
	}
	got := overlay(live, want)
	expected := map[string]any{
		"kept": "by others", "changed": "b", "new": "c",
		"named":  []any{map[string]any{"name": "one", "own": "default", "v": "2"}, map[string]any{"name": "other"}, map[string]any{"name": "three"}},
		"placed": []any{map[string]any{"a": "3", "own": "default"}},
		"plain":  []any{"z"},
	}
	if d := cmp.Diff(expected, got); d != "" {
		t.Error(d)
	}
	if live["changed"] != "a" || len(live["named"].([]any)) != 2 {
		t.Errorf("the object that was read changed: %v", live)
	}
}
