package chaos_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// killAt is the moment of a SIGKILL: before the n-th request reaches its
// server, or when the server has answered it.
type killAt struct {
	n     int
	after bool
}

func (k killAt) String() string {
	if k.after {
		return fmt.Sprintf("%03d-after", k.n)
	}
	return fmt.Sprintf("%03d-before", k.n)
}

// killsOf are the moments to try of a run with that many requests: all of them,
// or so many, evenly spread.
func killsOf(requests, wanted int) []killAt {
	if wanted == 0 || wanted > 2*requests {
		wanted = 2 * requests
	}
	var all []killAt
	for i := range wanted {
		at := i * 2 * requests / wanted
		all = append(all, killAt{n: at/2 + 1, after: (at+i)%2 == 1})
	}
	if wanted == 2*requests {
		for i := range all {
			all[i].after = i%2 == 1
		}
	}
	return all
}

// killed plays a scenario in which the run is killed, runs the same command
// once more, and wants the end that an undisturbed run comes to.
func (c *chaos) killed(t *testing.T, p place, s scenario, at killAt, want world.World) {
	s.prepare(t, p)
	args := s.args(p.namespace)
	cutOff := p.kill(t, at, args...)
	p.must(t, args...)
	want.WantSame(t, withoutProof(p.end(t), want))
	c.report.kill(s.title, cutOff)
}

// withoutProof leaves out what a proof that was killed may leave: an object of its
// own in the bucket, or two, of names that nobody else uses. They are nobody's data,
// uninstall takes them away, and no later run can tell them from those of another
// that is under way.
func withoutProof(end, want world.World) world.World {
	own := regexp.MustCompile(`(?m)^ostoy-s3-verify/[0-9a-f]{8}\.txt "[0-9a-f]{32}" latest=true\n?`)
	for key, text := range end {
		if left := len(own.FindAllString(text, -1)); strings.HasPrefix(key, "data/") && text != want[key] && left <= 2 {
			end[key] = strings.TrimSuffix(own.ReplaceAllString(text, ""), "\n")
		}
	}
	return end
}

// kill runs the tool and kills it there. It is false where the run had ended
// before it came to that.
func (p place) kill(t *testing.T, at killAt, args ...string) bool {
	t.Helper()
	var dead atomic.Bool
	started := make(chan struct{})
	var victim *run.Running
	end := func() {
		<-started
		dead.Store(true)
		_ = victim.Cmd.Process.Kill() // it may have ended a moment ago
	}
	relayed, user := p.through(t, func(e *relay.Exchange) {
		switch {
		case dead.Load():
			e.Cut()
		case e.N != at.n:
			e.Pass()
		case at.after:
			e.Lose(end)
		default:
			end()
			e.Cut()
		}
	})
	victim = run.Prepare(t, user, args...)
	victim.Start(t, func() { close(started) })
	result := victim.Ends(t)
	if requests := relayed.Requests(); len(requests) >= at.n {
		t.Logf("killed at %s", requests[at.n-1])
	}
	if !dead.Load() || result.Code != -1 {
		result.WantCode(t, 0)
		return false
	}
	return true
}
