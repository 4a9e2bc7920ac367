package check

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func ending(finding Finding) func(context.Context) Finding {
	return func(context.Context) Finding { return finding }
}

// TestIndependentChecksRunTogether: each waits for the other to have begun, so
// that a runner that goes one by one would never end.
func TestIndependentChecksRunTogether(t *testing.T) {
	a, b := make(chan struct{}), make(chan struct{})
	meet := func(mine, other chan struct{}) func(context.Context) Finding {
		return func(context.Context) Finding {
			close(mine)
			<-other
			return Pass()
		}
	}
	outcomes := Run(t.Context(), []Check{{ID: "a", Run: meet(a, b)}, {ID: "b", Run: meet(b, a)}}, nil)
	if len(Having(outcomes, Passed)) != 2 {
		t.Errorf("outcomes: %v", outcomes)
	}
}

func TestDependencies(t *testing.T) {
	never := func(context.Context) Finding {
		t.Error("ran although what it needs did not pass")
		return Pass()
	}
	outcomes := Run(t.Context(), []Check{
		{ID: "third", Needs: []string{"second"}, Run: never},
		{ID: "second", Needs: []string{"first"}, Run: never},
		{ID: "first", Run: ending(Finding{Status: Failed, What: "it"})},
		{ID: "warned", Run: ending(Warn("w", "y", ""))},
		{ID: "after warning", Needs: []string{"warned"}, Run: ending(Pass())},
		{ID: "left to another", Beside: []string{"first"}, Unless: ending(Unseen("a", "b")), Run: never},
		{ID: "left to what was not chosen", Beside: []string{"elsewhere"}, Unless: ending(Unseen("a", "b")), Run: ending(Pass())},
		{ID: "left to none", Beside: []string{"first"}, Unless: ending(Leave("x")), Run: ending(Pass())},
		{ID: "needs what was not chosen", Needs: []string{"elsewhere"}, Run: ending(Pass())},
	}, nil)
	want := []Status{Skipped, Skipped, Failed, Warned, Passed, Skipped, Passed, Passed, Passed}
	for n, outcome := range outcomes {
		if outcome.Status != want[n] {
			t.Errorf("%s: %s, want %s", outcome.ID, outcome.Status, want[n])
		}
	}
	if why := outcomes[0].Why; why != "needs second" {
		t.Errorf("the skipped check says %q", why)
	}
}

// TestKinds: a check that failed because something else did keeps that kind,
// for the exit code; what a check found by itself is a refusal.
func TestKinds(t *testing.T) {
	denied := &problem.Error{Kind: problem.Failed, What: "AWS did not do it", Why: "no rights", Next: "ask", More: "elsewhere"}
	for name, c := range map[string]struct {
		finding Finding
		want    problem.Kind
		more    string
	}{
		"own finding":   {Finding{Status: Failed, What: "x"}, problem.Refused, "docs/checks/it.md"},
		"failed call":   {Fail(fmt.Errorf("look: %w", denied)), problem.Failed, "elsewhere"},
		"wrong input":   {Fail(&problem.Error{Kind: problem.Usage, What: "name"}), problem.Usage, "docs/checks/it.md"},
		"unknown error": {Fail(errors.New("boom")), problem.Refused, "docs/checks/it.md"},
	} {
		got := Outcome{Check{ID: "it"}, c.finding}.Problem()
		if got.Kind != c.want || got.More != c.more {
			t.Errorf("%s: kind %d more %q, want %d %q", name, got.Kind, got.More, c.want, c.more)
		}
	}
	if finding := Fail(denied); finding.What != denied.What || finding.Why != denied.Why || finding.Next != denied.Next {
		t.Errorf("the three parts are lost: %+v", finding)
	}
	if Fail(nil).Status != Passed {
		t.Error("no error is no failure")
	}
}
