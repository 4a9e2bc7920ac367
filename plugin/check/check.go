// Package check looks for what is missing or wrong and says how to mend it. A
// check is data: who it is, what it needs to be true first, how to look. The
// runner starts every check as soon as those it needs have passed; printing is
// the caller's.
//
// What install looks at before it touches anything (Pre) are checks like all
// others: there is one implementation.
package check

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// Check is one thing to look at.
type Check struct {
	ID       string // also its page: docs/checks/<ID>.md
	Group    Group
	Title    string   // what is so when it passes
	Severity Severity // the worst it can find
	Vital    bool     // without its answer nobody knows whether the app is healthy
	Needs    []string // checks that must have passed, by ID
	Beside   []string // checks that report what this one leaves to them
	Unless   look     // where it finds something wrong, the first of those reports it, if it runs
	Run      func(context.Context) Finding
}

// Group is the part of the whole that a check is about.
type Group string

// The groups, in the order of what builds on what.
const (
	Cluster    Group = "cluster"
	AWS        Group = "aws"
	Controller Group = "controller"
	Identity   Group = "identity"
	Bucket     Group = "bucket"
	App        Group = "app"
	Ownership  Group = "ownership"
)

// Groups are all groups in their order.
func Groups() []Group { return []Group{Cluster, AWS, Controller, Identity, Bucket, App, Ownership} }

// Severity is how bad it is when a check does not pass.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // something does not work, or is not safe
	Warning Severity = "warning" // something will not work some day, or is a waste
)

// Status is how a check ended.
type Status string

// The ends a check can come to.
const (
	Passed     Status = "passed"
	Warned     Status = "warning"
	Failed     Status = "failed"
	Skipped    Status = "skipped"     // what it needs did not pass, or is not there
	NotAllowed Status = "not allowed" // this user may not look: no pass
)

// Finding is what a check saw. What, Why and Next are empty where it passed.
type Finding struct {
	Status Status
	What   string
	Why    string
	Next   string
	Err    error // the cause of a failure, for its exit code
}

// Outcome is a check and its finding.
type Outcome struct {
	Check
	Finding
}

// Pass is the finding of a check that has nothing to say.
func Pass() Finding { return Finding{Status: Passed} }

// met reports whether what needs this finding can be looked at.
func (f Finding) met() bool { return f.Status == Passed || f.Status == Warned }

// Refuse is the finding of something that is wrong. What and why are one line each: what
// a cluster or AWS sent is repeated in them, and a line feed in it could begin a line
// that looks like advice. Next is advice; commands in it are made by package advice.
func Refuse(what, why, next string) Finding {
	return Finding{Status: Failed, What: plain.Line(what), Why: plain.Line(why), Next: next}
}

// Unseen is the finding of a check whose object this user may not look at:
// needs is the right that is missing, would is what an admin would see.
func Unseen(needs, would string) Finding {
	return Finding{Status: NotAllowed, What: plain.Line("needs " + needs), Why: plain.Line("an admin would see " + would)}
}

// Leave is the finding of a check that has nothing to look at.
func Leave(why string) Finding { return Finding{Status: Skipped, Why: plain.Line(why)} }

// Warn is the finding of something worth a look that stops nobody. Its parts are those
// of Refuse.
func Warn(what, why, next string) Finding {
	return Finding{Status: Warned, What: plain.Line(what), Why: plain.Line(why), Next: next}
}

// Fail makes a finding of an error, keeping its three parts where it has them.
// A nil error passes.
func Fail(err error) Finding {
	if err == nil {
		return Pass()
	}
	if several, ok := errors.AsType[*problem.Several](err); ok && len(several.Problems) > 0 {
		return failAll(several.Problems, err)
	}
	finding := Finding{Status: Failed, What: err.Error(), Err: err}
	if told, ok := errors.AsType[*problem.Error](err); ok {
		finding.What, finding.Why, finding.Next = told.Parts()
	}
	finding.What = plain.Line(finding.What)
	finding.Why = strings.ReplaceAll(plain.Text(finding.Why), "\n", "\n  ") // no line of it looks like a part of its own
	return finding
}

// failAll is the finding of several problems, of which those with the same cause are one.
func failAll(problems []*problem.Error, err error) Finding {
	var all []Finding
	for _, one := range problem.Merge(problems) {
		all = append(all, Fail(one))
	}
	finding := worstFirst(all)
	finding.Err = err
	return finding
}

// Page is the check's page of documentation.
func (c Check) Page() string { return "docs/checks/" + c.ID + ".md" }

// Page is the page that explains what was found: the problem's own, if it has one, as
// install names it.
func (o Outcome) Page() string {
	if told, ok := errors.AsType[*problem.Error](o.Err); ok && told.More != "" {
		return told.More
	}
	return o.Check.Page()
}

// Problem is the outcome as an error. A check that failed because something
// else did (no credentials, a server that is away) keeps that kind.
func (o Outcome) Problem() *problem.Error {
	kind := problem.Refused
	var like *problem.Alike
	if told, ok := errors.AsType[*problem.Error](o.Err); ok {
		kind, like = told.Kind, told.Like
	}
	if problem.IsInput(o.Err) {
		kind = problem.Usage
	}
	return &problem.Error{Kind: kind, What: o.What, Why: o.Why, Next: o.Next, More: o.Page(), Err: o.Err, Like: like}
}

// Run runs checks, independent ones at the same time, and returns their
// outcomes in the order given, when all have ended. observe (may be nil) is told
// each as it ends, one at a time.
func Run(ctx context.Context, checks []Check, observe func(Outcome)) []Outcome {
	r := &run{
		outcomes: make([]Outcome, len(checks)),
		ended:    make([]chan struct{}, len(checks)),
		index:    make(map[string]int, len(checks)),
		observe:  observe,
	}
	for i, c := range checks {
		r.ended[i], r.index[c.ID] = make(chan struct{}), i
	}
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() {
			defer close(r.ended[i])
			r.end(i, Outcome{c, r.find(ctx, c)})
		})
	}
	all.Wait()
	return r.outcomes
}

// run is one run of some checks.
type run struct {
	outcomes []Outcome
	ended    []chan struct{}
	index    map[string]int

	mu      sync.Mutex
	observe func(Outcome)
}

// find waits for what a check needs, and runs it. A need that the caller left
// out counts as met.
func (r *run) find(ctx context.Context, c Check) Finding {
	for _, need := range c.Needs {
		at, chosen := r.index[need]
		if !chosen {
			continue
		}
		<-r.ended[at]
		if !r.outcomes[at].met() {
			return Leave("needs " + need)
		}
	}
	if c.Unless != nil && r.runs(c.Beside[0]) {
		if status := c.Unless(ctx).Status; status == Failed || status == NotAllowed {
			return Leave("needs " + c.Beside[0])
		}
	}
	return c.Run(ctx)
}

// runs reports whether a check is one of this run.
func (r *run) runs(id string) bool {
	_, chosen := r.index[id]
	return chosen
}

func (r *run) end(at int, outcome Outcome) {
	r.outcomes[at] = outcome
	if r.observe != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.observe(outcome)
	}
}

// Having are the outcomes with one of these statuses.
func Having(outcomes []Outcome, statuses ...Status) []Outcome {
	return slices.DeleteFunc(slices.Clone(outcomes), func(o Outcome) bool {
		return !slices.Contains(statuses, o.Status)
	})
}

// Unanswered are the vital checks that found nothing out: the user is not allowed to look, or
// there was nothing to look at.
func Unanswered(outcomes []Outcome) []Outcome {
	return slices.DeleteFunc(Having(outcomes, Skipped, NotAllowed), func(o Outcome) bool { return !o.Vital })
}

// Only are the checks with these IDs.
func Only(checks []Check, ids ...string) []Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return !slices.Contains(ids, c.ID) })
}

// installIn is what installs the app in a project again, given who manages its objects.
func installIn(w *live.World, flags ...string) string { return w.Hands.Install(w.Namespace, flags...) }

// around is how the app's objects are judged: what install restores, whoever manages the
// app does.
func around(w *live.World) health.Around {
	return health.Around{Install: func(flags ...string) string { return installIn(w, flags...) }}
}

// unreadable is the finding of a check that could not read from the cluster what it is
// about: needs and would as for Unseen.
func unreadable(conn *cluster.Conn, err error, needs, would string) Finding {
	if apierrors.IsForbidden(err) {
		return Unseen(needs, would)
	}
	return Fail(conn.Translate(err))
}

// unreadAWS is the same for what AWS did not answer.
func unreadAWS(err error, needs, would string) Finding {
	switch {
	case errors.Is(err, live.ErrNoAWS):
		return Leave("there are no AWS credentials")
	case awserr.Denied(err):
		return Unseen(needs, would)
	}
	return Fail(err)
}
