// Package checkup runs the checks and prints what they found. Which checks there are, and
// what they look for, is package check's.
package checkup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/tutorial"
)

// Request is what is to be looked at.
type Request struct {
	Facts session.Facts
	Chart session.Chart
	Role  iam.RoleOptions

	Pre     bool     // only what install looks at before it touches anything
	List    bool     // say which checks there are
	Only    []string // IDs; empty is all
	FailOn  check.Severity
	Wait    bool           // look again until nothing fails
	Timeout time.Duration  // of everything together
	Output  session.Format // FormatTable, FormatJSON, FormatJUnit
	Verbose bool           // also name what passed
}

// Run runs the checks and prints what they found. It changes nothing. The
// error is a refusal if a check failed (or, as asked, warned).
func Run(ctx context.Context, s *session.Session, request Request) error {
	var notes []string
	request.Only, notes = check.Current(request.Only)
	for _, note := range notes {
		s.UI.Line(note)
	}
	catalog := request.choose(check.All(nil, check.Sources{}, check.Target{Namespace: check.NamespaceEither}))
	if err := request.known(catalog); err != nil {
		return err
	}
	if request.List {
		return list(s, catalog, request.Output)
	}
	limited, cancel := context.WithTimeout(ctx, request.Timeout)
	defer cancel()
	outcomes, err := lookUntil(limited, s, request)
	if err != nil {
		return session.CutOff(ctx, err, request.Timeout, func() string { return "nothing was changed: checks only look" })
	}
	return verdict(outcomes, request.FailOn)
}

// lookUntil looks once, or, where it is told to wait, until nothing fails. Of
// the looks before the last only what is waited for is told.
func lookUntil(ctx context.Context, s *session.Session, request Request) ([]check.Outcome, error) {
	if !request.Wait {
		return lookAndReport(ctx, s, request)
	}
	// What is looked at is in AWS and in other people's controllers: only some
	// of it could be watched.
	const pause = 3 * time.Second
	waitingFor := ""
	err := wait.PollUntilContextCancel(ctx, pause, true, func(ctx context.Context) (bool, error) {
		checks, err := checks(ctx, s, request)
		if err != nil {
			return false, err
		}
		failing := strings.Join(ids(check.Having(check.Run(ctx, checks, nil), check.Failed)), ", ")
		if failing != waitingFor && failing != "" && ctx.Err() == nil {
			s.UI.Linef("waiting for %s", failing)
		}
		waitingFor = failing
		return failing == "", ctx.Err()
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, problem.Refuse(fmt.Sprintf("still failing after --timeout %s: %s", request.Timeout, waitingFor),
			"the last look found them as the first did",
			"oc ostoy-s3 check says what to do about them")
	}
	if err != nil {
		return nil, err
	}
	return lookAndReport(ctx, s, request)
}

// lookAndReport looks once and prints what it sees as it sees it.
func lookAndReport(ctx context.Context, s *session.Session, request Request) ([]check.Outcome, error) {
	began := s.Now()
	checks, err := checks(ctx, s, request)
	if err != nil {
		return nil, err
	}
	report := newReport(s, request, checks, began)
	outcomes := check.Run(ctx, checks, report.add)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return outcomes, report.end(outcomes)
}

func ids(outcomes []check.Outcome) []string {
	names := make([]string, len(outcomes))
	for i, o := range outcomes {
		names[i] = o.ID
	}
	return names
}

// checks finds the facts and gives the checks that were asked for.
func checks(ctx context.Context, s *session.Session, request Request) ([]check.Check, error) {
	found, err := look(ctx, s, request)
	if err != nil {
		return nil, err
	}
	return request.choose(check.All(found.world, found.sources, found.target)), nil
}

// choose leaves the checks that were asked for, with those they need.
func (r Request) choose(all []check.Check) []check.Check {
	if r.Pre {
		all = check.Before(all)
	}
	if len(r.Only) == 0 {
		return all
	}
	return check.WithNeeds(all, r.Only)
}

// known refuses ids that no check has.
func (r Request) known(chosen []check.Check) error {
	for _, id := range r.Only {
		if !slices.ContainsFunc(chosen, func(c check.Check) bool { return c.ID == id }) {
			return problem.Input(fmt.Sprintf("there is no check %q", id),
				"--only takes the ids of checks"+map[bool]string{true: " before an install"}[r.Pre],
				"oc ostoy-s3 check --list")
		}
	}
	return nil
}

// verdict is the error for what was found, nil if there is nothing to refuse.
func verdict(outcomes []check.Outcome, failOn check.Severity) error {
	bad := check.Having(outcomes, check.Failed)
	if failOn == check.Warning {
		bad = check.Having(outcomes, check.Failed, check.Warned)
	}
	if unanswered := check.Unanswered(outcomes); len(bad) == 0 && len(unanswered) > 0 {
		return problem.Refuse("not verified: "+phrase.Count(len(unanswered), "check")+" that the verdict depends on found no answer: "+strings.Join(ids(unanswered), ", "),
			"nothing failed in what could be looked at",
			"the report shows the permission that is missing")
	}
	if len(bad) == 0 {
		return nil
	}
	return &problem.Error{Kind: problem.Refused, What: phrase.Count(len(bad), "check") + " failed: " + strings.Join(ids(bad), ", ")}
}

// seen is what the checks look at.
type seen struct {
	world   *live.World
	sources check.Sources
	target  check.Target
}

// look finds the facts, as far as they can be found: what cannot is a finding, and no
// reason to stop. Wrong input is.
func look(ctx context.Context, s *session.Session, request Request) (seen, error) {
	values, err := s.ReadValues(ctx, request.Chart)
	if err != nil {
		return seen{}, err
	}
	p, err := project.Look(ctx, s, project.Wanted{Facts: request.Facts, MustExist: !request.Pre, Tolerant: true})
	if err != nil {
		return seen{}, err
	}
	p = p.Pending()
	found := seen{sources: check.Sources(p.Failures)}
	if found.sources != (check.Sources{}) { // the checks that need more are skipped
		found.world, found.target = little(p)
		return found, nil
	}
	if err := plan.Possible(p, request.Role); err != nil {
		return found, err
	}
	role := request.Role
	if !request.Pre {
		role = project.RecalledRole(p.Facts, role, p.Inventory.RoleARN)
	}
	desired, err := plan.Prepare(ctx, p, plan.Request{Values: values, Role: role, How: plan.Guess, Version: s.Version, Now: s.Now})
	if err != nil {
		return found, err
	}
	announce.Recalled(s.UI, desired.Recalled)
	found.world, found.target = desired.World, desired.Target(ctx)
	if p.State.Exists {
		found.world.Hands = tutorial.Hands(ctx, found.world)
	}
	return found, nil
}

// little is what can be looked at if the cluster or AWS does not answer.
func little(p project.Project) (*live.World, check.Target) {
	world := &live.World{Conn: p.Conn, Namespace: p.Name(), Facts: p.Facts}
	if p.Failures.AWS == nil && p.Found.AWS != nil {
		config := p.Found.AWS.In(p.Facts.Region)
		world.AWSRegion = p.Found.AWS.ConfiguredRegion
		world.Roles, world.Buckets = iam.New(config), bucket.New(config)
	}
	target := check.Target{Facts: p.Facts, Conn: p.Conn, Namespace: check.NamespaceExists}
	if !p.State.Exists {
		target.Namespace = check.NamespaceMissing
	}
	return world, target
}
