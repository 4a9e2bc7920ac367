package chaos_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// killsOf are the moments to try of a run with that many requests: all of them,
// or so many, evenly spread.
func killsOf(requests, wanted int) []relay.Moment {
	if wanted == 0 || wanted > 2*requests {
		wanted = 2 * requests
	}
	var all []relay.Moment
	for i := range wanted {
		at := i * 2 * requests / wanted
		all = append(all, relay.Moment{N: at/2 + 1, After: (at+i)%2 == 1})
	}
	if wanted == 2*requests {
		for i := range all {
			all[i].After = i%2 == 1
		}
	}
	return all
}

// killed plays a scenario in which the run is killed, runs the same command
// once more, and wants the end that an undisturbed run comes to.
func (c *chaos) killed(t *testing.T, p place, s scenario, at relay.Moment, want world.World) {
	s.prepare(t, p)
	args := s.args(p.namespace)
	cutOff := relay.Kill(t, p.user, at, args...)
	// The project that was to be deleted may be gone: then it is what the command says.
	if again := p.user.Run(t, args...); again.Code != 2 || p.origin(t) != "not there" {
		again.WantCode(t, 0)
	}
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
