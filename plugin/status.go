package plugin

import (
	"context"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/audit"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
)

// StatusRequest is what is to be looked at, and how it is to be told.
type StatusRequest struct {
	Facts FactsRequest
	Chart ChartRequest
	Role  RoleRequest

	All     bool // every install of the cluster, in one table
	Audit   bool // also who used the role and who changed it
	Output  Format
	Timeout time.Duration
}

// detailed reports whether everything is wanted, whatever it costs to ask.
func (r StatusRequest) detailed() bool { return r.Output != FormatTable }

// statusRun is one run of status.
type statusRun struct {
	*checkup // as far as it looks
	request  StatusRequest
	desired  iam.Role
	noAWS    error // why AWS is not asked anything
	trail    *audit.Client
}

// Status tells how an install is, or all of them. It changes nothing, and what it
// finds is no failure, as with kubectl get and helm status: check is there to
// judge. Where nothing is installed the error is a refusal, since helm status
// fails for a release that is not there, and a script must be able to tell; with
// All an empty list is an answer.
func (a *App) Status(ctx context.Context, request StatusRequest) error {
	s := &statusRun{request: request, checkup: &checkup{
		install: &install{App: a, request: InstallRequest{
			Facts: request.Facts, Chart: request.Chart, Role: request.Role, DryRun: DryRunClient,
		}},
		request: CheckRequest{Facts: request.Facts, Chart: request.Chart, Role: request.Role},
	}}
	limited, cancel := context.WithTimeout(ctx, request.Timeout)
	defer cancel()
	run := s.one
	if request.All {
		run = s.all
	}
	return session.CutOff(ctx, run(limited), request.Timeout, func() string { return "nothing was changed: status only looks" })
}

// one looks at one install and prints it.
func (s *statusRun) one(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	found, audited, err := s.see(ctx)
	if err != nil {
		return err
	}
	if err := s.missing(found); err != nil {
		return err
	}
	report := s.judge(found, s.leftExposing(ctx, found.Plan))
	report.Audit = audited.report
	if err := s.print(report); err != nil {
		return err
	}
	return audited.err
}

// audited is the answer of CloudTrail, where it was asked.
type audited struct {
	report *audit.Report
	err    error
}

// see asks cluster, AWS and CloudTrail at the same time.
func (s *statusRun) see(outer context.Context) (status.Found, audited, error) {
	found := s.found0()
	var history audited
	group, ctx := errgroup.WithContext(outer)
	group.Go(func() (err error) {
		found.Plan, err = s.lookPlan(ctx, s.conn, s.checkup.inventory)
		return err
	})
	group.Go(func() error {
		found.Pods, found.PodsErr = s.world.List(ctx, live.Pods(), s.world.Namespace, appPods)
		return nil
	})
	group.Go(func() error {
		found.AWS = s.askAWS(ctx, s.world)
		return nil
	})
	if s.request.Audit {
		group.Go(func() error {
			history = s.audit(ctx)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return found, history, err
	}
	s.advise(&found)
	if stale, is := s.world.Stale(outer, found.BucketObject(), s.Now()); is {
		found.AWS.Stale = &stale
	}
	return found, history, outer.Err()
}

// found0 is what is known before anybody is asked how things are.
func (s *statusRun) found0() status.Found {
	return status.Found{
		Facts: s.facts, Now: s.Now(), RoleARN: s.desired.ARN, Inventory: s.checkup.inventory,
	}
}

// audit reads CloudTrail's event history of the last day.
func (s *statusRun) audit(ctx context.Context) audited {
	if s.noAWS != nil {
		return audited{err: s.noAWS}
	}
	const most = 50
	report, err := audit.Look(ctx, s.trail, audit.Request{
		RoleARN: s.desired.ARN, RoleName: s.desired.Name, Bucket: s.desired.Bucket,
		Region: s.facts.Region.Value, Partition: s.facts.Partition.Value, Since: s.Now().Add(-audit.Day), Max: most,
	})
	if err != nil {
		return audited{err: err}
	}
	return audited{report: &report}
}

// missing is the error where there is nothing to tell of, nil where there is.
func (s *statusRun) missing(found status.Found) error {
	there, seen := found.Anything()
	name := s.facts.Namespace.Value
	switch {
	case there:
		return nil
	case !seen:
		return &problem.Error{
			Kind: problem.Failed, What: "you may not look into project " + name,
			Why:  "the cluster refuses to show what is in it, and whether it is there",
			Next: "ask an admin of " + name + " for the role view; " + advice.Command("oc projects") + " lists the projects that you may see",
		}
	}
	none := &problem.Error{
		Kind: problem.Refused, What: "nothing is installed in project " + name,
		Why:  "neither the inventory (configmap ostoy-s3) nor any object of the app is there",
		Next: advice.Command("oc ostoy-s3 install", "-n", name),
	}
	if found.AWS.RoleErr == nil && found.AWS.Role.Exists && found.AWS.PlanErr == nil {
		none.Why += "; its role " + s.desired.Label() + " is still in IAM"
		none.Next += "\n" + advice.Command("oc ostoy-s3 uninstall --role-only", "-n", name)
	}
	return none
}

// clients makes the clients of AWS, or keeps why there are none.
func (s *statusRun) clients() {
	if s.noAWS = s.sources.AWS; s.noAWS == nil && s.checkup.found.AWS == nil {
		s.noAWS = live.ErrNoAWS
	}
	s.world = &live.World{Conn: s.conn, Namespace: s.facts.Namespace.Value, Facts: s.facts}
	if s.noAWS != nil {
		return
	}
	config := s.checkup.found.AWS.In(s.facts.Region)
	s.world.Roles, s.world.Buckets = iam.New(config), bucket.New(config)
	s.trail = audit.New(config)
}
