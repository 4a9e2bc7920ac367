package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// CheckRequest is what is to be looked at.
type CheckRequest struct {
	Facts FactsRequest
	Chart ChartRequest
	Role  RoleRequest

	Pre     bool     // only what install looks at before it touches anything
	List    bool     // say which checks there are
	Only    []string // IDs; empty is all
	FailOn  check.Severity
	Wait    bool          // look again until nothing fails
	Timeout time.Duration // of everything together
	Output  Format        // FormatTable, FormatJSON, FormatJUnit
	Verbose bool          // also name what passed
}

// checkup is one look at everything.
type checkup struct {
	*install // as far as it looks: the checks are those of its next run
	request  CheckRequest
	sources  check.Sources
	world    *live.World
}

// Check runs the checks and prints what they found. It changes nothing. The
// error is a refusal if a check failed (or, as asked, warned).
func (a *App) Check(ctx context.Context, request CheckRequest) error {
	catalog := request.choose(check.All(nil, check.Sources{}, check.Target{Namespace: check.NamespaceEither}))
	if err := request.known(catalog); err != nil {
		return err
	}
	if request.List {
		return a.listChecks(catalog, request.Output)
	}
	limited, cancel := context.WithTimeout(ctx, request.Timeout)
	defer cancel()
	outcomes, err := a.checkUntil(limited, request)
	if err != nil {
		return session.CutOff(ctx, err, request.Timeout, func() string { return "nothing was changed: checks only look" })
	}
	return verdict(outcomes, request.FailOn)
}

// checkUntil looks once, or, where it is told to wait, until nothing fails. Of
// the looks before the last only what is waited for is told.
func (a *App) checkUntil(ctx context.Context, request CheckRequest) ([]check.Outcome, error) {
	if !request.Wait {
		return a.checkAndReport(ctx, request)
	}
	// What is looked at is in AWS and in other people's controllers: only some
	// of it could be watched.
	const pause = 3 * time.Second
	waitingFor := ""
	err := wait.PollUntilContextCancel(ctx, pause, true, func(ctx context.Context) (bool, error) {
		checks, err := a.checks(ctx, request)
		if err != nil {
			return false, err
		}
		failing := strings.Join(ids(check.Having(check.Run(ctx, checks, nil), check.Failed)), ", ")
		if failing != waitingFor && failing != "" && ctx.Err() == nil {
			a.UI.Linef("waiting for %s", failing)
		}
		waitingFor = failing
		return failing == "", ctx.Err()
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, &problem.Error{
			Kind: problem.Refused, What: fmt.Sprintf("still failing after --timeout %s: %s", request.Timeout, waitingFor),
			Why: "the last look found them as the first did", Next: "oc ostoy-s3 check says what to do about them",
		}
	}
	if err != nil {
		return nil, err
	}
	return a.checkAndReport(ctx, request)
}

// checkAndReport looks once and prints what it sees as it sees it.
func (a *App) checkAndReport(ctx context.Context, request CheckRequest) ([]check.Outcome, error) {
	began := a.Now()
	checks, err := a.checks(ctx, request)
	if err != nil {
		return nil, err
	}
	report := a.newReport(request, checks, began)
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
func (a *App) checks(ctx context.Context, request CheckRequest) ([]check.Check, error) {
	c := &checkup{
		install: &install{App: a, request: InstallRequest{
			Facts: request.Facts, Chart: request.Chart, Role: request.Role, DryRun: DryRunClient,
		}},
		request: request,
	}
	target, err := c.look(ctx)
	if err != nil {
		return nil, err
	}
	return request.choose(check.All(c.world, c.sources, target)), nil
}

// choose leaves the checks that were asked for, with those they need.
func (r CheckRequest) choose(all []check.Check) []check.Check {
	if r.Pre {
		all = check.Before(all)
	}
	if len(r.Only) == 0 {
		return all
	}
	return check.WithNeeds(all, r.Only)
}

// known refuses ids that no check has.
func (r CheckRequest) known(chosen []check.Check) error {
	for _, id := range r.Only {
		if !slices.ContainsFunc(chosen, func(c check.Check) bool { return c.ID == id }) {
			return &render.InputError{
				What: fmt.Sprintf("there is no check %q", id),
				Why:  "--only takes the ids of checks" + map[bool]string{true: " before an install"}[r.Pre],
				Next: "oc ostoy-s3 check --list",
			}
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
	if len(bad) == 0 {
		return nil
	}
	return &problem.Error{Kind: problem.Refused, What: plural(int64(len(bad)), "check") + " failed: " + strings.Join(ids(bad), ", ")}
}
