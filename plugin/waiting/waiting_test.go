package waiting

import (
	"testing"
)

// TestTold: the innermost thing that is waited for is told, once, and nothing after the
// wait has ended.
func TestTold(t *testing.T) {
	told := make(chan string, 10)
	ctx := With(t.Context(), Person{Patience: 1, Present: true, Tell: func(what string) { told <- what }})
	if !Attended(ctx) {
		t.Error("nobody is there")
	}
	for _, what := range []string{"one", "two"} {
		_, done := For(ctx, what)
		if got := <-told; got != what {
			t.Errorf("told %q", got)
		}
		done()
	}
	ctx.Value(listenerKey{}).(*listener).hear("one")
	if len(told) != 0 {
		t.Errorf("told again: %q", <-told)
	}
}

// TestInner: within a wait, what is waited for exactly is what counts, for as long as it is.
func TestInner(t *testing.T) {
	var last string
	to := &listener{who: Person{Tell: func(what string) { last = what }}, told: map[string]bool{}}
	w := &wait{}
	outer := w.push("outer")
	inner := w.push("inner")
	for _, step := range []struct {
		want string
		end  func()
	}{{"inner", inner}, {"outer", outer}, {"", func() {}}} {
		last = ""
		if w.over(to); last != step.want {
			t.Errorf("told %q, want %q", last, step.want)
		}
		step.end()
	}
}

// TestNobodyListens: without a listener nothing happens.
func TestNobodyListens(t *testing.T) {
	ctx, done := For(t.Context(), "one")
	if ctx != t.Context() || Attended(ctx) {
		t.Error("somebody listens")
	}
	done()
}
