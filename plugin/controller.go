package plugin

import (
	"context"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/registry"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// ControllerRoleRequest is what the user wants of the controller's role.
type ControllerRoleRequest = iam.ControllerOptions

// ControllerRequest is which ACK S3 controller is to be there, and how.
type ControllerRequest struct {
	Facts FactsRequest
	Role  ControllerRoleRequest

	Version  string // "1.13.0"; empty for what is there, or the newest
	Identity string // subscription or annotation; empty for what is there, or subscription
	Upgrade  bool
	Chart    string // folder, file or oci:// of ACK's chart; empty for OLM

	DryRun         DryRun
	Wait           bool
	AllowAnyBucket bool          // accept that nothing keeps Buckets to their own project
	Timeout        time.Duration // of everything together
	ForceConflicts bool
	ForceOwner     bool
	Output         Format // FormatJSON, or empty for talk

	// Ask asks at the terminal for the bucket pattern of a new role, and before Buckets
	// stop syncing; nil: nobody is there. Yes answers the second one.
	Ask func(ctx context.Context, question string) (string, error)
	Yes bool

	asItIs bool   // one that a chart brought is used as it is
	bucket string // what the role must be able to manage, "" for nothing in particular
}

// Identities are the ways to give the controller its role, the default first.
func Identities() []string {
	return []string{string(operator.Subscription), string(operator.Annotation)}
}

// controllerRun is one run of `controller install`, or that part of another.
type controllerRun struct {
	*App
	request ControllerRequest
	started time.Time
	beside  bool // an install of the app
	assumed bool // the bucket pattern: a dry run that can ask nobody

	conn       *cluster.Conn
	found      detect.Result
	facts      render.Facts
	knownToIAM bool
	chart      *render.Foreign
	roles      *iam.Client
	plan       *controller.Plan

	board *ui.Board
	done  controller.Done
	ready bool
}

// ControllerInstall has the ACK S3 controller installed, or finds the one that is
// there. Until the plan is printed nothing is touched.
func (a *App) ControllerInstall(ctx context.Context, request ControllerRequest) error {
	c := &controllerRun{App: a, request: request, started: a.Now(), board: a.UI.Board("ack-s3-controller")}
	return session.InTime(ctx, request.Timeout, request.Timeout, c.doneSoFar, c.run)
}

func (c *controllerRun) run(ctx context.Context) (err error) {
	if c.conn, err = c.Connect(ctx); err != nil {
		return err
	}
	if err := c.learn(ctx); err != nil {
		return err
	}
	if err := c.survey(ctx); err != nil {
		return err
	}
	c.UI.Rows(append(headOf(c.facts, c.found.Caller, c.knownToIAM), ui.Row{Label: "namespace", Text: c.facts.Namespace.Value, From: c.facts.Namespace.Source}))
	c.announce()
	if c.request.DryRun != DryRunNone {
		return c.reportDryRun()
	}
	if err := c.mayExecute(ctx); err != nil {
		return err
	}
	changed := c.plan.Changed()
	err = c.execute(ctx)
	return c.conclude(changed, err)
}

// learn gathers the facts, ACK's chart where it is to be used, and whether this
// user may do all this: who may not is told so, whatever else is missing.
func (c *controllerRun) learn(ctx context.Context) error {
	given, err := c.Given(ctx, c.request.Facts)
	if err != nil {
		return err
	}
	namespace, err := controllerNamespace(c.request.Facts)
	if err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return controller.MayLook(groupCtx, c.conn, namespace.Value, c.request.Chart) })
	var failed error
	group.Go(func() error {
		failed = c.gather(groupCtx, given)
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	c.facts = c.found.Facts
	c.facts.Namespace = namespace
	return c.checkFacts()
}

// gather asks the cluster, AWS and the registry, all at the same time.
func (c *controllerRun) gather(ctx context.Context, given render.Facts) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		c.chart, err = fetchChart(ctx, c.request.Chart, c.request.Version)
		return err
	})
	group.Go(func() (err error) {
		connected := func() (*cluster.Conn, error) { return c.conn, nil }
		c.found, err = c.detectForController(ctx, given, c.request.Facts.Profile, connected, detect.AskMissing)
		if err != nil {
			return err
		}
		return c.identify(ctx, &c.found, c.request.Facts.Profile)
	})
	return group.Wait()
}

// fetchChart reads ACK's chart; nil where none was named. A chart that is there
// already, or named in full, has to be the version that the user wants.
func fetchChart(ctx context.Context, from, version string) (*render.Foreign, error) {
	if from == "" {
		return nil, nil
	}
	fetched, err := registry.Fetch(ctx, from, version)
	if err != nil {
		return nil, err
	}
	chart, err := interrupt.Run(ctx, 0, func() (*render.Foreign, error) {
		if fetched.Dir != nil {
			return render.LoadDir(fetched.Dir)
		}
		return render.LoadArchive(fetched.Archive)
	})
	want := strings.TrimPrefix(version, "v")
	named := want != "" && want[0] >= '0' && want[0] <= '9' // as opposed to a tag such as latest
	if err != nil || !named || want == strings.TrimPrefix(chart.Version(), "v") {
		return chart, err
	}
	return nil, &problem.Error{
		Kind: problem.Usage,
		What: "--version " + version + ": the chart is another version",
		Why:  inLine(from + " is " + chart.Name() + " " + chart.Version()),
		Next: "leave out --version, or give the chart of that version",
	}
}

func (c *controllerRun) checkFacts() error {
	if err := c.found.Require(); err != nil {
		return err
	}
	facts := c.facts
	facts.Namespace = render.Fact{}
	if err := facts.Validate(); err != nil {
		return err
	}
	arn, err := iam.ControllerRoleARN(c.facts, c.request.Role)
	if err != nil {
		return err
	}
	return operator.Validate(c.facts, operator.Options{RoleARN: arn, Identity: operator.Identity(c.request.Identity)})
}

// survey looks at what there is, and plans.
func (c *controllerRun) survey(ctx context.Context) error {
	world := c.world()
	var provider check.Finding
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		provider = check.Provider(groupCtx, world)
		return nil
	})
	group.Go(func() error { return c.makePlan(groupCtx, world) })
	if err := group.Wait(); err != nil {
		return err
	}
	c.knownToIAM = provider.Status == check.Passed
	if c.plan.Role == nil { // somebody else's controller: its role is theirs, too
		return nil
	}
	asked := check.Only(check.Pre(check.Target{}), check.IDProvider)[0]
	return c.heed([]check.Outcome{{Check: asked, Finding: provider}})
}

// world is what there is in the controller's namespace.
func (c *controllerRun) world() *live.World {
	config := c.found.AWS.In(c.facts.Region)
	c.roles = iam.New(config)
	return &live.World{Conn: c.conn, Namespace: c.facts.Namespace.Value, Facts: c.facts, Roles: c.roles, Buckets: bucket.New(config)}
}

func (c *controllerRun) makePlan(ctx context.Context, world *live.World) error {
	found, err := controller.Look(ctx, world)
	if err != nil {
		return err
	}
	c.plan, err = controller.NewPlan(ctx, found, c.facts, c.roles, controller.Options{
		Version: c.request.Version, Identity: operator.Identity(c.request.Identity), Role: c.request.Role,
		Upgrade: c.request.Upgrade, Chart: c.chart, ChartFrom: c.request.Chart, AsItIs: c.request.asItIs,
		AllowAnyBucket: c.request.AllowAnyBucket,
		ChoosePattern:  c.choosePattern,
		Guess:          c.request.DryRun == DryRunClient, TryCreates: c.request.DryRun == DryRunServer,
		ForceConflicts: c.request.ForceConflicts, ForceOwner: c.request.ForceOwner,
		Tool: c.Version, Now: c.Now,
	})
	return err
}
