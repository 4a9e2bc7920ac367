package verify

import (
	"errors"
	"slices"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Level is one step of the proof.
type Level string

// The levels, each on top of those before it.
const (
	Identity  Level = "identity"  // the service account is the role
	Access    Level = "access"    // the role does with the bucket what the app does
	Isolation Level = "isolation" // what must be refused is refused
	App       Level = "app"       // the app's own pages write and read
)

// Levels are all levels, in order.
func Levels() []Level { return []Level{Identity, Access, Isolation, App} }

// WithNeeded are the levels asked for, and those they need, in order. None asked
// for means all.
func WithNeeded(asked ...Level) []Level {
	if len(asked) == 0 {
		return Levels()
	}
	return slices.DeleteFunc(Levels(), func(l Level) bool {
		switch l {
		case Identity:
			return false
		case Access:
			return !slices.ContainsFunc(asked, func(a Level) bool { return a != Identity })
		}
		return !slices.Contains(asked, l)
	})
}

// Outcome is how a probe, or a level, ended.
type Outcome string

// The outcomes. What was not tested is no pass. NotVerified is of levels: nothing
// failed, and a probe that the level needs was not tried.
const (
	Passed      Outcome = "passed"
	Failed      Outcome = "failed"
	NotTested   Outcome = "not tested"
	NotVerified Outcome = "not verified"
)

// Probe is one question and its answer. What, Why and Next are the parts of a
// failure; What is the reason why something was not tested, and Next may help.
type Probe struct {
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	Tried   bool    `json:"tried"`
	Chosen  bool    `json:"byChoice,omitempty"` // not tried: the user chose a role that may do it
	What    string  `json:"what,omitempty"`
	Why     string  `json:"why,omitempty"`
	Next    string  `json:"next,omitempty"`
	Seconds float64 `json:"durationSeconds"`

	failure *problem.Error
	needs   string // the probe, or level, without which it was not tried
}

// LevelReport is a level with its probes, in a fixed order.
type LevelReport struct {
	Level   Level   `json:"level"`
	Outcome Outcome `json:"outcome"`
	Text    string  `json:"text"` // in a few words
	Probes  []Probe `json:"probes"`
	// Missing are the probes that the level needs and that were not tried.
	Missing []string `json:"missing,omitempty"`
	Seconds float64  `json:"durationSeconds"`

	again string // the command that looks at it once more
}

// Report is everything that was found out.
type Report struct {
	Namespace      string        `json:"namespace"`
	ServiceAccount string        `json:"serviceAccount"`
	Role           string        `json:"role"` // ARN
	Audience       string        `json:"audience"`
	Bucket         string        `json:"bucket"`
	URL            string        `json:"url,omitempty"`    // of the app; empty without a Route
	Via            string        `json:"via,omitempty"`    // how the app was reached: ViaRoute, ViaForward
	Detour         string        `json:"detour,omitempty"` // why not by its Route
	Verified       bool          `json:"verified"`
	Levels         []LevelReport `json:"levels"`
	OutOfScope     []string      `json:"outOfScope"`     // what no probe looks at
	Left           []string      `json:"left,omitempty"` // keys of the objects that stay in the bucket
	WhyLeft        string        `json:"whyLeft,omitempty"`
	Seconds        float64       `json:"durationSeconds"`
}

// The ways to the app.
const (
	ViaRoute   = "route"
	ViaForward = "port-forward"
)

// Level is the report of one level, nil if it was not looked at.
func (r Report) Level(l Level) *LevelReport {
	for i := range r.Levels {
		if r.Levels[i].Level == l {
			return &r.Levels[i]
		}
	}
	return nil
}

// Err is a *problem.Several of all that failed and of the levels that are not proven,
// nil if there are none. What the user chose not to have tested is no error.
func (r Report) Err() error {
	several := &problem.Several{}
	for _, level := range r.Levels {
		for _, probe := range level.Probes {
			if probe.Outcome == Failed {
				several.Problems = append(several.Problems, probe.failure)
			}
		}
		if level.Outcome == NotVerified && !level.ByChoice() {
			several.Problems = append(several.Problems, level.unproven())
		}
	}
	if len(several.Problems) == 0 {
		return nil
	}
	several.Problems = problem.Merge(several.Problems)
	return several
}

// NotTested are the probes that could not be tried and that no level needs.
func (r Report) NotTested() []Probe {
	var all []Probe
	for _, level := range r.Levels {
		for _, probe := range level.Probes {
			if probe.Outcome == NotTested && !slices.Contains(level.Missing, probe.Name) {
				all = append(all, probe)
			}
		}
	}
	return all
}

// Summary is the whole proof in one line, for a report in which nothing failed.
func (r Report) Summary() string {
	text := "put, list, get as " + r.ServiceAccount
	isolation := r.Level(Isolation)
	switch {
	case isolation == nil:
		return text
	case isolation.Outcome == NotVerified:
		text = "in part: " + text + "; isolation not verified, by choice"
	}
	return text + "; " + isolation.Text
}

// count counts the probes that ended so.
func (l LevelReport) count(o Outcome) int {
	n := 0
	for _, p := range l.Probes {
		if p.Outcome == o {
			n++
		}
	}
	return n
}

// pass, fail and skip end a probe that began at a moment.
func pass(name string, began time.Time) Probe {
	return Probe{Name: name, Outcome: Passed, Tried: true, Seconds: time.Since(began).Seconds()}
}

func skip(name string, began time.Time, why *untestable) Probe {
	return Probe{
		Name: name, Outcome: NotTested, Chosen: why.chosen, What: why.why, Next: why.next, Seconds: time.Since(began).Seconds(),
	}
}

func fail(name string, began time.Time, err error) Probe {
	var told *problem.Error
	if !errors.As(err, &told) {
		told = problem.Fail(err.Error(), "", "").Because(err)
	}
	return Probe{
		Name: name, Outcome: Failed, Tried: true, What: told.What, Why: told.Why, Next: told.Next,
		Seconds: time.Since(began).Seconds(), failure: told,
	}
}

// Flag is a flag that the user gave, as verify and install both have it.
type Flag struct{ Name, Value string }

// Flags say which install is meant: --account-id, --role-name and the like.
type Flags []Flag

// with are the flags with further ones; one of the same name takes the place of the
// user's.
func (f Flags) with(more ...Flag) Flags {
	kept := slices.DeleteFunc(slices.Clone(f), func(one Flag) bool {
		return slices.ContainsFunc(more, func(m Flag) bool { return m.Name == one.Name })
	})
	return append(kept, more...)
}

func (f Flags) have(name string) bool {
	return slices.ContainsFunc(f, func(one Flag) bool { return one.Name == name })
}

// naming are the flags with those that name the role of the install, which IAM has
// confirmed, unless the user gave them or install finds it without: by the names that it
// computes. Without them install would create another role.
func (f Flags) naming(role render.ARN, computed []string) Flags {
	if f.have("--role-name") || f.have("--role-path") {
		return f
	}
	if name := role.Name(); !slices.Contains(computed, name) {
		f = f.with(Flag{"--role-name", name})
	}
	if path := role.Path(); path != render.RolePath {
		f = f.with(Flag{"--role-path", path})
	}
	return f
}

// flagIAM is the flag of install alone that says who manages the role.
const flagIAM = "--iam"

// IAMSkip is --iam=skip: another tool manages the role. Commands of verify leave it out.
func IAMSkip() Flag { return Flag{flagIAM, "skip"} }

// ofVerify are the flags that verify has, too.
func (f Flags) ofVerify() Flags {
	return slices.DeleteFunc(slices.Clone(f), func(one Flag) bool { return one.Name == flagIAM })
}

// Words are the flags as words of a command.
func (f Flags) Words() []string {
	var words []string
	for _, one := range f {
		if one.Name == flagIAM { // as the docs write it: --iam=skip
			words = append(words, one.Name+"="+one.Value)
			continue
		}
		words = append(words, advice.Flag(one.Name, one.Value)...)
	}
	return words
}

// again is the command that verifies the same install once more, with the user's flags
// and further ones.
func (t Target) again(more ...Flag) string {
	return advice.Command("oc ostoy-s3 verify", append([]string{"-n", t.Namespace}, t.Flags.ofVerify().with(more...).Words()...)...)
}
