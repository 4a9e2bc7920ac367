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
	"sync"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Check is one thing to look at.
type Check struct {
	ID    string // also its page: docs/checks/<ID>.md
	Title string
	Needs []string // checks that must have passed, by ID
	Run   func(context.Context) Finding
}

// Status is how a check ended.
type Status string

// The ends a check can come to.
const (
	Passed     Status = "passed"
	Warned     Status = "warning"
	Failed     Status = "failed"
	Skipped    Status = "skipped"     // what it needs did not pass
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

// Warn is the finding of something worth a look that stops nobody.
func Warn(what, why, next string) Finding {
	return Finding{Status: Warned, What: what, Why: why, Next: next}
}

// Fail makes a finding of an error, keeping its three parts where it has them.
// A nil error passes.
func Fail(err error) Finding {
	if err == nil {
		return Pass()
	}
	finding := Finding{Status: Failed, What: err.Error(), Err: err}
	var told interface {
		Parts() (what, why, next string)
	}
	if errors.As(err, &told) {
		finding.What, finding.Why, finding.Next = told.Parts()
	}
	return finding
}

// Page is the check's page of documentation.
func (c Check) Page() string { return "docs/checks/" + c.ID + ".md" }

// Problem is the outcome as an error. A check that failed because something
// else did (no credentials, a server that is away) keeps that kind.
func (o Outcome) Problem() *problem.Error {
	kind := problem.Refused
	more := o.Page()
	var told *problem.Error
	if errors.As(o.Err, &told) {
		kind = told.Kind
		if told.More != "" {
			more = told.More
		}
	}
	var input *render.InputError
	if errors.As(o.Err, &input) {
		kind = problem.Usage
	}
	return &problem.Error{Kind: kind, What: o.What, Why: o.Why, Next: o.Next, More: more, Err: o.Err}
}

// Run runs checks, independent ones at the same time, and returns their
// outcomes in the order given. It returns when all have ended.
func Run(ctx context.Context, checks []Check) []Outcome {
	outcomes := make([]Outcome, len(checks))
	ended := make(map[string]chan struct{}, len(checks))
	index := make(map[string]int, len(checks))
	for i, c := range checks {
		ended[c.ID], index[c.ID] = make(chan struct{}), i
	}
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() {
			defer close(ended[c.ID])
			for _, need := range c.Needs {
				at, chosen := index[need]
				if !chosen {
					continue // the caller left it out
				}
				<-ended[need]
				if status := outcomes[at].Status; status != Passed && status != Warned {
					outcomes[i] = Outcome{c, Finding{Status: Skipped, What: c.Title, Why: "needs " + need}}
					return
				}
			}
			outcomes[i] = Outcome{c, c.Run(ctx)}
		})
	}
	all.Wait()
	return outcomes
}

// Having are the outcomes with one of these statuses.
func Having(outcomes []Outcome, statuses ...Status) []Outcome {
	return slices.DeleteFunc(slices.Clone(outcomes), func(o Outcome) bool {
		return !slices.Contains(statuses, o.Status)
	})
}

// Only are the checks with these IDs.
func Only(checks []Check, ids ...string) []Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return !slices.Contains(ids, c.ID) })
}
