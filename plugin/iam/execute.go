package iam

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Result is what Execute did, also when it did not get to the end.
type Result struct {
	ARN     string
	Created bool
	Done    []Step
	// Untagged is what AWS denied and the role can do without.
	Untagged Untagged
}

// IAM is eventually consistent: a role made a moment ago may be unknown to the
// next request ("Changes that I make are not always immediately visible" in the
// IAM User Guide). This is how long and how often it is asked again.
const (
	firstPause = 250 * time.Millisecond
	longPause  = 5 * time.Second
	patience   = 60 * time.Second
)

// Execute walks the steps of the plan. When the role turns out to have appeared,
// to be gone, or not to be visible yet, it looks again, plans again and goes on;
// what another run did is then not done twice, and a role that somebody else
// made is refused. It waits at most a minute altogether, and no longer than ctx.
// Errors are explained (*problem.Error).
func Execute(ctx context.Context, api API, plan *Plan) (Result, error) {
	result := Result{ARN: plan.Role.ARN}
	waits := pauses{}
	for {
		step, err := walk(ctx, api, plan, &result)
		if err == nil {
			return result, nil
		}
		if !outdated(err) || !waits.next(ctx) {
			if ctx.Err() != nil {
				err = fmt.Errorf("%w, last answer: %w", ctx.Err(), err)
			}
			return result, awserr.Translate(err, step.Action, step.Resource)
		}
		actual, err := again(ctx, api, plan.Role, err, result.Created)
		if err != nil {
			return result, err
		}
		if plan, err = NewPlan(plan.Role, actual, plan.input.facts); err != nil {
			return result, err
		}
	}
}

// again reads the role that the plan was wrong about. What was created here may be hidden
// until IAM knows its path everywhere; what IAM says exists is not ours to see.
func again(ctx context.Context, api Reader, role Role, why error, created bool) (*Actual, error) {
	actual, err := ReadToCreate(ctx, api, role.Name, true)
	if err != nil || !actual.Hidden || created || !awserr.Exists(why) {
		return actual, err
	}
	return nil, &problem.Error{
		Kind: problem.Refused,
		What: "role " + role.Name + " exists, and AWS refuses to show it",
		Why:  "whose it is and what it allows is not known; it is not changed",
		Next: "ask an AWS administrator to allow iam:GetRole on role " + role.Name + ", or choose another name: --role-name NAME",
		Err:  why,
	}
}

// outdated reports whether an error says that the plan is: the role appeared,
// or is gone, or is not visible yet. An error that is explained already is about
// something else (namePolicy).
func outdated(err error) bool {
	if _, ok := errors.AsType[*problem.Error](err); ok {
		return false
	}
	return awserr.Exists(err) || awserr.Missing(err)
}

// walk does the steps one after the other and gives back the one that failed.
func walk(ctx context.Context, api Writer, plan *Plan, result *Result) (Step, error) {
	result.Untagged = Untagged{}
	for _, step := range plan.Steps {
		err := apply(ctx, api, plan.Role, step)
		if awserr.Denied(err) && plan.canDoWithout(step) {
			result.Untagged = Untagged{step.Tags, awserr.Translate(err, step.Action, step.Resource)}
			continue
		}
		if err != nil {
			return step, err
		}
		result.Done = append(result.Done, step)
		result.Created = result.Created || step.Kind == CreateRole
	}
	return Step{}, nil
}

// pauses grow from one to the next and have an end.
type pauses struct{ last, sum time.Duration }

// next waits; false means that there is no more time.
func (p *pauses) next(ctx context.Context) bool {
	p.last = min(max(firstPause, 2*p.last), longPause)
	p.sum += p.last
	if p.sum > patience {
		return false
	}
	t := time.NewTimer(p.last)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
