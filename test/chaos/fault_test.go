package chaos_test

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// course is install, install again and uninstall, by one user.
type course struct {
	learner                      bool
	prepare                      func(*testing.T, place)
	install, uninstall           func(namespace string) []string
	afterInstall, afterUninstall world.World
}

// course is the i-th: a cluster admin's in a namespace that is there, and a
// project admin's in a project that comes and goes with it, by turns.
func (c *chaos) course(i int) course {
	if i%2 == 0 {
		return course{false, justANamespace, install, uninstall, c.ends["first"], c.ends["empty"]}
	}
	return course{true, nothing, inNewProject, allGone, c.ends["learner"], c.ends["whole"]}
}

// faulty takes a course with servers that fail one request in ten, by chance. It
// goes as if they did not.
func (c *chaos) faulty(t *testing.T, p place, seed uint64, of course) {
	t.Logf("seed %d", seed)
	faults := relay.NewFaults(seed, 0.1)
	defer c.report.faults(faults)
	of.take(t, p, faults.Play).WantTalk(t, "nothing to change")
}

// spreading does the same with an IAM that does not know a new role everywhere
// at once. The second run may find its policy missing, and puts it once more.
func (c *chaos) spreading(t *testing.T, p place, seed uint64, of course) {
	t.Logf("seed %d", seed)
	slow := relay.NewSpreading(seed, c.lasts, nil)
	of.take(t, p, slow.Play)
	if slow.Unknown() == 0 {
		t.Error("IAM has not played dumb")
	}
	c.report.spread(slow.Unknown())
}

// take takes the course through a relay, and gives how its second run went.
func (of course) take(t *testing.T, p place, play relay.Play) (second run.Result) {
	t.Helper()
	if of.learner {
		p = p.forLearner(t)
	}
	of.prepare(t, p)
	_, user := p.through(t, play)
	user.Run(t, of.install(p.namespace)...).WantCode(t, 0)
	of.afterInstall.WantSame(t, p.end(t))
	second = user.Run(t, install(p.namespace)...).WantCode(t, 0)
	of.afterInstall.WantSame(t, p.end(t))
	user.Run(t, of.uninstall(p.namespace)...).WantCode(t, 0)
	of.afterUninstall.WantSame(t, p.end(t))
	return second
}
