// Package install is the command controller install: it has the ACK S3 controller
// installed, or finds the one that is there. It also does so beside an install of the app
// (Beside).
package install

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Request is which ACK S3 controller is to be there, and how.
type Request struct {
	Facts session.Facts
	Role  iam.ControllerOptions

	Version  string // "1.13.0"; empty for what is there, or the newest
	Identity string // subscription or annotation; empty for what is there, or subscription
	Upgrade  bool

	DryRun         session.DryRun
	Wait           bool
	AllowAnyBucket bool          // accept that nothing keeps Buckets to their own project
	Timeout        time.Duration // of everything together
	ForceConflicts bool
	ForceOwner     bool
	Output         session.Format // FormatJSON, or empty for talk

	// Ask asks at the terminal for the bucket pattern of a new role, and before Buckets
	// stop syncing; nil: nobody is there. Yes answers the second one.
	Ask session.Ask
	Yes bool
}

// Identities are the ways to give the controller its role, the default first.
func Identities() []string {
	return []string{string(operator.Subscription), string(operator.Annotation)}
}

// run is one install of the controller, alone or beside the app.
type run struct {
	*session.Session
	request Request
	started time.Time
	board   *ui.Board
	bucket  string // of the app that is installed with it: the role must be able to manage it
	assumed bool   // the bucket pattern: a dry run that can ask nobody

	conn  *cluster.Conn
	facts render.Facts
	plan  *controller.Plan

	done  controller.Done
	ready bool
}

// Run has the ACK S3 controller installed, or finds the one that is there. Until the plan
// is printed nothing is touched. The error is a refusal if the controller must not be
// installed as asked, and NotReady if it does not run in time or never will.
func Run(ctx context.Context, s *session.Session, request Request) error {
	c := &run{Session: s, request: request, started: s.Now(), board: s.UI.Board("ack-s3-controller")}
	return session.InTime(ctx, request.Timeout, request.Timeout, c.doneSoFar, c.run)
}

func (c *run) run(ctx context.Context) (err error) {
	if c.conn, err = c.Connect(ctx); err != nil {
		return err
	}
	found, err := c.learn(ctx)
	if err != nil {
		return err
	}
	c.facts = found.Facts
	knownToIAM, err := c.survey(ctx, found.AWS)
	if err != nil {
		return err
	}
	namespace := c.facts.Namespace
	c.UI.Rows(append(announce.Head(c.facts, found.Caller, knownToIAM), ui.Row{Label: "namespace", Text: namespace.Value, From: namespace.Source}))
	tell(c)
	if c.request.DryRun != session.DryRunNone {
		return reportDryRun(c)
	}
	if err := mayExecute(ctx, c); err != nil {
		return err
	}
	changed := c.plan.Changed()
	return c.conclude(changed, c.execute(ctx))
}

// learn gathers the facts, and whether you may do all this: if you may not, that is
// reported, whatever else is missing.
func (c *run) learn(ctx context.Context) (found detect.Result, err error) {
	facts := c.request.Facts
	given, err := c.Given(ctx, facts)
	if err != nil {
		return found, err
	}
	namespace, err := project.ControllerNamespace(facts)
	if err != nil {
		return found, err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return controller.MayLook(groupCtx, c.conn, namespace.Value) })
	var failed error
	group.Go(func() error {
		found, failed = project.DetectController(groupCtx, c.Session, session.Facts{Given: given, Profile: facts.Profile}, detect.AskMissing)
		if failed == nil {
			failed = project.Identify(groupCtx, &found, facts.Profile)
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return found, err
	}
	if failed != nil {
		return found, failed
	}
	found.Facts.Namespace = namespace
	return found, c.checkFacts(found)
}

func (c *run) checkFacts(found detect.Result) error {
	if err := found.Require(); err != nil {
		return err
	}
	facts := found.Facts
	facts.Namespace = render.Fact{}
	if err := facts.Validate(); err != nil {
		return err
	}
	arn, err := iam.ControllerRoleARN(found.Facts, c.request.Role)
	if err != nil {
		return err
	}
	return operator.Validate(found.Facts, operator.Options{RoleARN: arn, Identity: operator.Identity(c.request.Identity)})
}

// survey looks at what there is, and plans. It tells whether IAM knows the issuer.
func (c *run) survey(ctx context.Context, aws *detect.AWS) (knownToIAM bool, err error) {
	world := c.world(aws)
	var provider check.Finding
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		provider = check.Provider(groupCtx, world)
		return nil
	})
	group.Go(func() error { return c.makePlan(groupCtx, world) })
	if err := group.Wait(); err != nil {
		return false, err
	}
	knownToIAM = provider.Status == check.Passed
	if c.plan.Role == nil { // a controller that is not managed by ostoy-s3 keeps its role
		return knownToIAM, nil
	}
	asked := check.Only(check.Pre(check.Target{}), check.IDProvider)[0]
	outcomes := []check.Outcome{{Check: asked, Finding: provider}}
	for _, warning := range check.Having(outcomes, check.Warned, check.NotAllowed) {
		c.UI.Warn(plain.InLine(warning.What+": "+warning.Why), warning.Next)
	}
	return knownToIAM, plan.Refusal(outcomes)
}

// world is what there is in the controller's namespace.
func (c *run) world(aws *detect.AWS) *live.World {
	config := aws.In(c.facts.Region)
	return &live.World{Conn: c.conn, Namespace: c.facts.Namespace.Value, Facts: c.facts, Roles: iam.New(config), Buckets: bucket.New(config)}
}

func (c *run) makePlan(ctx context.Context, world *live.World) error {
	found, err := controller.Look(ctx, world)
	if err != nil {
		return err
	}
	r := c.request
	c.plan, err = controller.NewPlan(ctx, found, c.facts, world.Roles, controller.Options{
		Version: r.Version, Identity: operator.Identity(r.Identity), Role: r.Role,
		Upgrade: r.Upgrade, HelmLine: helmLine(c), AllowAnyBucket: r.AllowAnyBucket, ChoosePattern: c.choosePattern,
		DryRun:         r.DryRun,
		ForceConflicts: r.ForceConflicts, ForceOwner: r.ForceOwner,
		Tool: c.Version, Now: c.Now,
	})
	return err
}
