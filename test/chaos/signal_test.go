package chaos_test

import (
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// interrupted plays a scenario in which the user presses Ctrl-C while the n-th
// request is on its way: the run says what it has done and that another goes
// on, and the other does.
func (c *chaos) interrupted(t *testing.T, p place, s scenario, n int, want world.World) {
	s.prepare(t, p)
	args := s.args(p.namespace)
	result, sent := p.interrupt(t, n, args...)
	if !sent {
		result.WantCode(t, 0)
		want.WantSame(t, p.end(t))
		return
	}
	result.WantCode(t, 130).WantStdout(t, "").WantTalk(t, "✗ interrupted", "run the same command again: it continues where this one stopped")
	if !strings.Contains(result.Stderr, "so far") && !strings.Contains(result.Stderr, "nothing was") {
		t.Errorf("does not say what was done\n%s", result)
	}
	p.must(t, args...)
	want.WantSame(t, p.end(t))
	c.report.interrupt(s.title)
}

// interrupt runs the tool and sends SIGINT while the n-th request waits for its
// answer, which never comes. It is false where there were fewer requests.
func (p place) interrupt(t *testing.T, n int, args ...string) (run.Result, bool) {
	t.Helper()
	started := make(chan struct{})
	var sent atomic.Bool
	var victim *run.Running
	_, user := p.through(t, func(e *relay.Exchange) {
		if e.N < n || sent.Swap(true) {
			e.Pass()
			return
		}
		<-started
		if err := victim.Cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		e.Abandoned()
		e.Cut()
	})
	victim = run.Prepare(t, user, args...)
	victim.Start(t, func() { close(started) })
	return victim.Ends(t), sent.Load()
}
