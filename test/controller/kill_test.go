package controller_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

var everything = flag.Bool("everything", false, "kill runs at every request that writes, not at a sample")

// deed is a command that is killed, and what there is before it.
type deed struct {
	name    string
	prepare func(*testing.T, *scene)
	args    []string
	then    []string // what is run after it, to the end; nil: the same
	nothing string   // what a run says that finds it all done
	rare    bool     // not in the sample
}

// deeds are all that are played.
func deeds() []deed {
	const changes, removes = "nothing to change", "nothing to remove"
	all := []deed{
		{"install", func(*testing.T, *scene) {}, []string{"install", "--bucket-pattern", "*-bucket"}, nil, changes, false},
		{"upgrade", upgradable, []string{"install", "--upgrade"}, nil, changes, false},
		{"upgrade, two versions", upgradableTwice, []string{"install", "--upgrade"}, nil, changes, true},
		{"uninstall", func(t *testing.T, s *scene) { s.install(t) }, []string{"uninstall"}, nil, removes, false},
		{"install, then uninstall", func(*testing.T, *scene) {}, []string{"install", "--bucket-pattern", "*-bucket"}, []string{"uninstall"}, removes, true},
	}
	return slices.DeleteFunc(all, func(d deed) bool { return d.rare && !*everything })
}

func upgradable(t *testing.T, s *scene) {
	t.Helper()
	s.install(t)
	s.OLM.StopLooking(false) // the same requests each time
	s.OLM.Release("1.14.0")
	eventually(t, "the upgrade waits", s.upgradeWaits)
}

// upgradableTwice has two versions before it, each with an InstallPlan of its own.
func upgradableTwice(t *testing.T, s *scene) {
	t.Helper()
	upgradable(t, s)
	s.OLM.Release("1.15.0")
}

// tally is what was played of a deed.
type tally struct{ requests, writes, killed, ended int }

// TestKilled kills runs before and after requests, has the same command run once
// more, or the one that takes it back, and wants what undisturbed runs come to, and
// nothing else. The deeds are played beside each other, each on a bed of its own.
func TestKilled(t *testing.T) {
	t.Parallel()
	tallies := map[string]*tally{}
	t.Cleanup(func() { printTallies(tallies) }) // after the parallel subtests
	for _, d := range deeds() {
		n := &tally{}
		tallies[d.name] = n
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			d.play(t, run.BorrowedBed(t), n)
		})
	}
}

func printTallies(tallies map[string]*tally) {
	fmt.Printf("\n%-36s %9s %7s %7s %13s\n", "controller ...", "requests", "writes", "killed", "ended before")
	for _, d := range deeds() {
		n := tallies[d.name]
		fmt.Printf("%-36s %9d %7d %7d %13d\n", d.name, n.requests, n.writes, n.killed, n.ended)
	}
}

// command is what is killed, next what is run after it.
func (d deed) command() []string { return append([]string{"controller"}, d.args...) }

func (d deed) next() []string {
	if d.then == nil {
		return d.command()
	}
	return append([]string{"controller"}, d.then...)
}

func (d deed) play(t *testing.T, bed *testbed.Bed, n *tally) {
	var want end
	t.Run("undisturbed", func(t *testing.T) { want = d.undisturbed(t, bed, n) })
	for _, at := range d.moments(n) {
		if want == nil {
			return
		}
		t.Run(kindOf(at)+"-"+at.String(), func(t *testing.T) {
			s := beginOn(t, bed)
			d.prepare(t, s)
			if relay.Kill(t, s.Admin, at, d.command()...) {
				n.killed++
			} else {
				n.ended++
			}
			s.Admin.Run(t, d.next()...).WantCode(t, done)
			s.wantEnd(t, want)
			s.Admin.Run(t, d.next()...).WantCode(t, done).WantTalk(t, d.nothing)
		})
	}
}

// undisturbed counts the requests, and says what the end is.
func (d deed) undisturbed(t *testing.T, bed *testbed.Bed, n *tally) end {
	s := beginOn(t, bed)
	d.prepare(t, s)
	counter, err := relay.Open(t.Context(), s.Bed, s.Admin.Kubeconfig, (*relay.Exchange).Pass)
	must(t, err)
	counter.User(s.Admin).Run(t, d.command()...).WantCode(t, done)
	n.requests, n.writes = len(counter.Requests()), counter.Writes()
	if n.writes == 0 {
		t.Fatal("it wrote nothing")
	}
	if d.then != nil {
		s.Admin.Run(t, d.next()...).WantCode(t, done)
	}
	return s.end(t)
}

// moments are before and after each request that writes, and before or after every
// tenth of all; or just one.
func (d deed) moments(n *tally) []relay.Moment {
	const step = 10
	var all []relay.Moment
	for i := range n.writes {
		for _, after := range []bool{false, true} {
			all = append(all, relay.Moment{N: i + 1, After: after, Of: (*relay.Exchange).Writes})
		}
	}
	if !*everything {
		middle := (len(all) - 1) / 2
		return all[middle : middle+1]
	}
	for i := step; i <= n.requests; i += step {
		all = append(all, relay.Moment{N: i, After: i/step%2 == 0})
	}
	return all
}

func kindOf(at relay.Moment) string {
	if at.Of != nil {
		return "write"
	}
	return "request"
}
