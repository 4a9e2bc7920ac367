package chaos_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// chaos is what all scenes share.
type chaos struct {
	amount
	bed    *testbed.Bed
	sweep  *sweeper
	report *report

	lock     sync.Mutex
	requests map[string]int         // of an undisturbed run, by scenario
	ends     map[string]world.World // to which it comes
}

// TestChaos plays the undisturbed runs, then all scenes, and looks what is left
// of them all.
func TestChaos(t *testing.T) {
	c := &chaos{
		amount: theAmount(), bed: run.TheBed(t), report: newReport(),
		requests: map[string]int{}, ends: map[string]world.World{},
	}
	fmt.Fprintf(os.Stderr, "chaos: -seed %d\n", c.seed)
	before, err := everywhere(t.Context(), c.bed)
	orders(t, err)
	c.sweep = newSweeper(t.Context(), c.bed)
	t.Run("undisturbed", c.playUndisturbed)
	if t.Failed() {
		return
	}
	t.Run("scenes", c.playAll)
	if err := c.sweep.wait(); err != nil {
		t.Error(err)
	}
	for _, left := range before.leftovers(t, c.bed) {
		c.report.left++
		t.Errorf("left behind: %s", left)
	}
	c.report.print(os.Stdout, c.seed, t.Failed())
}

// play is scene for a scenario, by the user it is for.
func (c *chaos) play(t *testing.T, s scenario, name string, play func(*testing.T, place)) {
	c.scene(t, name, func(t *testing.T, p place) {
		if s.learner {
			p = p.forLearner(t)
		}
		play(t, p)
	})
}

// scene plays in a place of its own, beside others, and cleans up behind it.
func (c *chaos) scene(t *testing.T, name string, play func(*testing.T, place)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		p := place{c.bed, name, run.Admin(c.bed)}
		t.Cleanup(func() { c.sweep.add(p.namespace) })
		play(t, p)
	})
}

func (c *chaos) playUndisturbed(t *testing.T) {
	for _, s := range scenarios() {
		c.play(t, s, "undisturbed-"+s.name, func(t *testing.T, p place) {
			requests, end := p.undisturbed(t, s)
			c.lock.Lock()
			defer c.lock.Unlock()
			c.requests[s.name], c.ends[s.name] = len(requests), end
			c.report.undisturbed(s.title, len(requests))
		})
	}
}

func (c *chaos) playAll(t *testing.T) {
	for _, s := range scenarios() {
		for _, at := range killsOf(c.requests[s.name], c.kills) {
			c.play(t, s, "kill-"+s.name+"-"+at.String(), func(t *testing.T, p place) { c.killed(t, p, s, at, c.ends[s.name]) })
		}
		if s.name != "first" && s.name != "data" {
			continue
		}
		for i := range c.interrupts {
			n := 1 + i*c.requests[s.name]/c.interrupts
			c.play(t, s, fmt.Sprintf("int-%s-%03d", s.name, n), func(t *testing.T, p place) { c.interrupted(t, p, s, n, c.ends[s.name]) })
		}
	}
	c.playFaults(t)
}

func (c *chaos) playFaults(t *testing.T) {
	c.scene(t, "patient", c.patient)
	for i := range c.amount.faulty {
		c.scene(t, fmt.Sprintf("faulty-%03d", i), func(t *testing.T, p place) { c.faulty(t, p, c.seed+uint64(i), c.course(i)) })
	}
	for i := range c.amount.spreading {
		c.scene(t, fmt.Sprintf("spreading-%03d", i), func(t *testing.T, p place) { c.spreading(t, p, c.seed+uint64(i), c.course(i)) })
	}
}
