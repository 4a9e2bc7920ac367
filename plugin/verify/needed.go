package verify

import (
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Needed are the probes that a level is proven by: each of them must have been tried,
// and have passed. Isolation has two more, other-project and other-bucket, which exist
// only where there is another project, or another bucket of the account, to try.
func Needed(level Level) []string {
	switch level {
	case Identity:
		return []string{"audience", "region", "token", "role", "assume-role", "caller-identity"}
	case Access:
		return []string{"head-bucket", "list-objects", "put-object", "get-object"}
	case Isolation:
		return []string{"default-service-account", "other-audience", "delete-object", "list-buckets", "get-role"}
	}
	return []string{"reached", "menu-entry", "upload", "read", "found-in-s3"}
}

// judge is the outcome of a level, and which of the probes that it needs did not pass
// because they were not tried: one failure fails it, and one that is missing leaves it
// without proof, however many passed.
func judge(level Level, probes []Probe) (outcome Outcome, missing []string) {
	tried := map[string]bool{}
	outcome = Passed
	for _, p := range probes {
		tried[p.Name] = p.Tried
		if p.Outcome == Failed {
			outcome = Failed
		}
	}
	missing = slices.DeleteFunc(Needed(level), func(name string) bool { return tried[name] })
	if outcome == Passed && len(missing) > 0 {
		outcome = NotVerified
	}
	return outcome, missing
}

// whole adds to the probes of a level those that it needs and that were not reached,
// because one before them did not pass.
func whole(level Level, probes []Probe) []Probe {
	stopped := slices.IndexFunc(probes, func(p Probe) bool { return p.Outcome != Passed })
	for _, name := range Needed(level) {
		if stopped >= 0 && !slices.ContainsFunc(probes, func(p Probe) bool { return p.Name == name }) {
			probes = append(probes, behind(name, probes[stopped].Name))
		}
	}
	return probes
}

// behind is a probe that was not tried because another probe, or a level, did not pass.
func behind(name, needs string) Probe {
	return Probe{Name: name, Outcome: NotTested, What: "needs " + needs, needs: needs}
}

// ByChoice reports whether all that a level lacks is left out because the user chose a
// role that may do it.
func (l LevelReport) ByChoice() bool {
	missing := l.missing()
	return l.Outcome == NotVerified && len(missing) > 0 && !slices.ContainsFunc(missing, func(p Probe) bool { return !p.Chosen })
}

// missing are the probes that the level needs and that were not tried for a reason of
// their own.
func (l LevelReport) missing() []Probe {
	var all []Probe
	for _, p := range l.Probes {
		if slices.Contains(l.Missing, p.Name) && p.needs == "" {
			all = append(all, p)
		}
	}
	return all
}

// unproven is the error for a level that is not proven although nothing failed.
func (l LevelReport) unproven() *problem.Error {
	told := &problem.Error{Kind: problem.Refused, What: string(l.Level) + " is not verified", Next: l.again, More: helpPage}
	for n, p := range l.missing() {
		if n > 0 {
			told.Why += "\n"
		}
		told.Why += "not tested: " + p.What
		if n == 0 && p.Next != "" {
			told.Next = p.Next
		}
	}
	return told
}

// outOfScope is what no probe looks at.
func outOfScope() []string {
	return []string{
		"other IAM principals of the account with permissions on the bucket",
		"who reaches the app's Route or Ingress, which has no authentication",
		"what the ACK S3 controller may do with the bucket",
		"other clusters that use the account",
	}
}
