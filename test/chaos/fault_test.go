package chaos_test

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// faulty installs, installs again and uninstalls with servers that fail one
// request in ten, by chance. All three end as if they did not.
func (c *chaos) faulty(t *testing.T, p place, seed uint64, afterInstall, afterUninstall world.World) {
	t.Logf("seed %d", seed)
	faults := relay.NewFaults(seed, 0.1)
	defer c.report.faults(faults)
	c.thrice(t, p, faults.Play, afterInstall, afterUninstall).WantTalk(t, "nothing to change")
}

// spreading does the same with an IAM that does not know a new role everywhere
// at once. The second run may find its policy missing, and puts it once more.
func (c *chaos) spreading(t *testing.T, p place, seed uint64, afterInstall, afterUninstall world.World) {
	t.Logf("seed %d", seed)
	slow := relay.NewSpreading(seed, c.lasts, nil)
	c.thrice(t, p, slow.Play, afterInstall, afterUninstall)
	if slow.Unknown() == 0 {
		t.Error("IAM has not played dumb")
	}
	c.report.spread(slow.Unknown())
}

// thrice is install, install again, and uninstall.
func (c *chaos) thrice(t *testing.T, p place, play relay.Play, afterInstall, afterUninstall world.World) (second run.Result) {
	t.Helper()
	justANamespace(t, p)
	_, user := p.through(t, play)
	user.Run(t, install(p.namespace)...).WantCode(t, 0)
	afterInstall.WantSame(t, p.end(t))
	second = user.Run(t, install(p.namespace)...).WantCode(t, 0)
	afterInstall.WantSame(t, p.end(t))
	user.Run(t, uninstall(p.namespace)...).WantCode(t, 0)
	afterUninstall.WantSame(t, p.end(t))
	return second
}
