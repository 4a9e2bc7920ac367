package verify

import (
	"slices"
	"testing"
	"time"
)

// passed are all probes that a level needs, passed.
func passed(level Level) []Probe {
	var all []Probe
	for _, name := range Needed(level) {
		all = append(all, pass(name, time.Now()))
	}
	return all
}

// TestF9Judge: a level is verified only if each probe that it needs was tried and has
// passed, whatever else was.
func TestF9Judge(t *testing.T) {
	for _, level := range Levels() {
		all := passed(level)
		if got, missing := judge(level, all); got != Passed || len(missing) > 0 {
			t.Errorf("%s is %s, missing %v", level, got, missing)
		}
		for at, one := range all {
			others := slices.Delete(slices.Clone(all), at, at+1)
			for name, c := range map[string]struct {
				probes  []Probe
				want    Outcome
				missing []string
			}{
				"absent":     {others, NotVerified, []string{one.Name}},
				"not tested": {append(slices.Clone(others), skip(one.Name, time.Now(), &untestable{why: "no"})), NotVerified, []string{one.Name}},
				"failed":     {append(slices.Clone(others), fail(one.Name, time.Now(), errNetwork)), Failed, nil},
			} {
				got, missing := judge(level, c.probes)
				if got != c.want || !slices.Equal(missing, c.missing) {
					t.Errorf("%s without %s (%s) is %s, missing %v", level, one.Name, name, got, missing)
				}
			}
		}
		if got, _ := judge(level, nil); got != NotVerified {
			t.Errorf("%s without probes is %s", level, got)
		}
	}
	for _, name := range []string{"default-service-account", "other-audience"} {
		if !slices.Contains(Needed(Isolation), name) {
			t.Errorf("isolation is verified without %s", name)
		}
	}
}

// TestWhole: a probe that was not reached is in the report, with the one that stopped it.
func TestWhole(t *testing.T) {
	probes := whole(Access, []Probe{pass("head-bucket", time.Now()), fail("list-objects", time.Now(), errNetwork)})
	var names []string
	for _, p := range probes[2:] {
		names = append(names, p.Name)
		if p.Tried || p.Outcome != NotTested || p.What != "needs list-objects" {
			t.Errorf("%+v", p)
		}
	}
	if !slices.Equal(names, []string{"put-object", "get-object"}) {
		t.Errorf("not reached are %v", names)
	}
}
