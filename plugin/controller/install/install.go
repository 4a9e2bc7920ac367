// Package install is the command controller install: it has the ACK S3 controller
// installed, or finds the one that is there. It also does so beside an install of the app
// (Beside).
package install

import (
	"cmp"
	"context"
	"strings"
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
	failure := c.execute(ctx)
	return c.conclude(changed, failure, ctx.Err() != nil)
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
	announce.Warnings(c.UI, check.Having(outcomes, check.Warned, check.NotAllowed))
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

// Controller is the ACK S3 controller that is installed with the app (install
// --with-controller), from the same look at the cluster: planned with the app, and there
// before it.
type Controller struct{ run *run }

// Beside is controller install as a part of an install of the app, which has the facts.
func Beside(s *session.Session, request Request) *Controller {
	request.Wait = true
	// The names of the app's rows are known before: those of both stay aligned.
	return &Controller{&run{Session: s, request: request, started: s.Now(), board: s.UI.Board(render.Frontend, render.Microservice)}}
}

// MayPlan refuses a pattern that can match no bucket, and a caller who may not look,
// before anything is made for the app.
func (c *Controller) MayPlan(ctx context.Context, p project.Project) error {
	if pattern := c.run.request.Role.BucketPattern; pattern != "" {
		if err := iam.CheckBucketPattern(pattern); err != nil {
			return err
		}
	}
	return controller.MayLook(ctx, p.Conn, render.ControllerNamespace)
}

// Plan plans what controller install would do. It is a refusal if you install the
// controller yourself, with Helm, or if its role cannot manage the bucket of the project.
func (c *Controller) Plan(ctx context.Context, p project.Project) error {
	r := c.run
	r.conn, r.facts, r.bucket = p.Conn, p.Facts, render.BucketName(p.Name())
	r.facts.Namespace = project.UsualControllerNamespace()
	// Whether IAM knows the issuer is asked for the app anyway.
	if err := r.makePlan(ctx, r.world(p.Found.AWS)); err != nil {
		return err
	}
	if r.plan.AwaitsHelm() {
		return withHelm(r, cmp.Or(r.request.Role.BucketPattern, render.PatternFor(p.Name())))
	}
	return mustReach(r)
}

// Changes reports whether anything is to be done.
func (c *Controller) Changes() bool { return c.run.plan.Changed() }

// LooksAtRole reports whether the plan has looked at the controller's role.
func (c *Controller) LooksAtRole() bool { return c.run.plan.Reach != nil }

// AnnounceNotes prints what exists already, and what to know before.
func (c *Controller) AnnounceNotes() { tellNotes(c.run) }

// AnnounceReach prints which S3 buckets the controller reaches.
func (c *Controller) AnnounceReach() { tellReach(c.run) }

// AnnounceSteps prints what is done.
func (c *Controller) AnnounceSteps() { tellSteps(c.run) }

// MayExecute asks before Buckets stop syncing, or begin to.
func (c *Controller) MayExecute(ctx context.Context) error { return mayExecute(ctx, c.run) }

// Execute does what was planned, and waits until the controller runs.
func (c *Controller) Execute(ctx context.Context) error { return c.run.execute(ctx) }

// Done lists what was done so far, "" if nothing.
func (c *Controller) Done() string {
	if len(doneOf(c.run))+len(c.run.done.Unsure) == 0 {
		return ""
	}
	return strings.TrimPrefix(c.run.doneSoFar(), announce.Stays)
}

// Document is the part of the controller in a document.
func (c *Controller) Document() any { return document(c.run) }
