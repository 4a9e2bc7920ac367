package check

import (
	"context"
	"errors"
	"testing"
)

// TestWorstFirst: a merged finding has the gravest status, and says what each of its parts
// found, once.
func TestWorstFirst(t *testing.T) {
	failed, warned, hidden, left := Refuse("a", "because a", "do a"), Warn("b", "because b", "do b"), Unseen("c", "d"), Leave("nothing here")
	for name, c := range map[string]struct {
		of   []Finding
		want Finding
	}{
		"nothing":     {nil, Pass()},
		"one":         {[]Finding{failed}, failed},
		"all":         {[]Finding{left, hidden, Pass(), warned, failed}, Finding{Status: Failed, What: "a", Why: "because a\nb: because b\nnot allowed: needs c; an admin would see d", Next: "do a\ndo b"}},
		"twice":       {[]Finding{warned, warned}, warned},
		"not allowed": {[]Finding{Pass(), hidden}, hidden},
		"passed":      {[]Finding{left, Pass()}, Pass()},
		"skipped":     {[]Finding{left, left}, left},
		"same thing":  {[]Finding{failed, Refuse("a", "because z", "do a")}, Finding{Status: Failed, What: "a", Why: "because a\nbecause z", Next: "do a"}},
		"one step":    {[]Finding{failed, Refuse("z", "because z", "do a")}, Finding{Status: Failed, What: "a", Why: "because a\nz: because z", Next: "do a"}},
	} {
		if got := worstFirst(c.of); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := worstFirst([]Finding{Pass(), Fail(errors.New("away"))}); got.Err == nil {
		t.Error("the cause is lost")
	}
}

// TestLooks: what a look stands on is looked at first, and hides what would only repeat it.
func TestLooks(t *testing.T) {
	failed, warned := Refuse("a", "b", "c"), Warn("w", "v", "u")
	never := func() look { return func(_ context.Context) Finding { t.Error("looked at"); return Pass() } }
	for name, c := range map[string]struct {
		look look
		want Finding
	}{
		"every":                {every(ending(Pass()), ending(failed)), failed},
		"the first fails":      {inTurn(ending(failed), never()), failed},
		"the first is skipped": {inTurn(ending(Leave("x")), never()), Leave("x")},
		"the first warns":      {inTurn(ending(warned), ending(Pass())), warned},
		"the second fails":     {inTurn(ending(Pass()), ending(failed)), failed},
	} {
		if got := c.look(t.Context()); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
