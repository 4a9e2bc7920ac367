package plugin

import (
	"context"
	"errors"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// ControllerUninstallRequest is what is to go with the controller, and what leave
// was given.
type ControllerUninstallRequest struct {
	Facts FactsRequest

	Force      bool // let go of the Buckets that are left; S3 keeps the buckets
	DeleteCRDs bool // the definition of ACK's Bucket
	KeepRole   bool
	ForceOwner bool  // also what Argo CD, Flux or Helm bring
	Adopt      Adopt // AdoptRole: also a role with policies of others on it

	DryRun  bool
	Timeout time.Duration // of everything together
	Output  Format        // FormatJSON, or empty for talk
}

// controllerRemoval is one run of `controller uninstall`.
type controllerRemoval struct {
	*App
	request ControllerUninstallRequest
	started time.Time

	conn      *cluster.Conn
	namespace render.Fact
	detected  detect.Result // empty with KeepRole
	facts     render.Facts
	removal   *controller.Removal
	board     *ui.Board
}

// ControllerUninstall removes the ACK S3 controller that this tool installed, with
// all that came with it, in the order in which nothing is left hanging. Until the
// plan is printed nothing is touched. It asks S3 nothing.
func (a *App) ControllerUninstall(ctx context.Context, request ControllerUninstallRequest) error {
	c := &controllerRemoval{App: a, request: request, started: a.Now(), board: a.UI.Board("controller")}
	timeout := request.Timeout
	if err := session.InTime(ctx, timeout, timeout, c.doneSoFar, c.prepare); err != nil {
		return err
	}
	c.announce()
	if c.request.DryRun || c.removal.Empty() {
		return c.conclude()
	}
	left := timeout - c.Now().Sub(c.started)
	if err := session.InTime(ctx, left, timeout, c.doneSoFar, c.execute); err != nil {
		return err
	}
	return c.conclude()
}

// prepare finds out what there is, and plans. It touches nothing.
func (c *controllerRemoval) prepare(ctx context.Context) error {
	given, err := c.Given(ctx, c.request.Facts)
	if err != nil {
		return err
	}
	if c.namespace, err = controllerNamespace(c.request.Facts); err != nil {
		return err
	}
	if c.conn, err = c.Connect(ctx); err != nil {
		return err
	}
	if err := controller.MayLookToRemove(ctx, c.conn, c.namespace.Value); err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.survey(groupCtx) })
	group.Go(func() error { return c.detectRole(groupCtx, given) })
	if err := group.Wait(); err != nil {
		return err
	}
	return c.planRole(ctx, given)
}

// survey looks at what is in the cluster, and plans.
func (c *controllerRemoval) survey(ctx context.Context) error {
	found, err := controller.Look(ctx, &live.World{Conn: c.conn, Namespace: c.namespace.Value})
	if err != nil {
		return err
	}
	c.removal, err = controller.PlanRemoval(ctx, found, controller.RemovalOptions{
		Force: c.request.Force, DeleteDefinition: c.request.DeleteCRDs,
		ForceOwner: c.request.ForceOwner, AdoptRole: c.request.Adopt.Role(), Now: c.Now,
	})
	return err
}

// detectRole finds out by what a role is told to be ours. What fails here matters
// only if there may be one.
func (c *controllerRemoval) detectRole(ctx context.Context, given render.Facts) error {
	if c.request.KeepRole {
		return nil
	}
	connected := func() (*cluster.Conn, error) { return c.conn, nil }
	found, err := c.detectForController(ctx, given, c.request.Facts.Profile, connected, detect.AskNeeded)
	c.detected = found
	var told *problem.Error
	if errors.As(err, &told) && told.Kind == problem.Refused { // the issuer is none for AWS
		return nil
	}
	return err
}

// planRole looks for the role, where there may be one.
func (c *controllerRemoval) planRole(ctx context.Context, given render.Facts) error {
	c.facts = c.detected.Facts
	c.facts.Namespace = c.namespace
	if c.request.KeepRole {
		c.removal.KeepRole()
		return nil
	}
	if !c.removal.NeedsRole() {
		return nil
	}
	identity, err := c.identity(ctx)
	if err != nil {
		return withoutRole(err)
	}
	if given.Account.Known() && given.Account.Value != identity.Account {
		return &problem.Error{
			Kind: problem.Refused,
			What: "the AWS credentials are of account " + identity.Account,
			Why:  "the role is looked for in account " + given.Account.Value + ", as " + given.Account.Source + " says",
			Next: "choose other credentials with --profile; or --keep-role",
		}
	}
	if !given.Account.Known() {
		if err := c.removal.CheckAccount(identity.Account); err != nil {
			return err
		}
	}
	c.detected.Caller = identity.Caller
	c.facts.Account.Value, c.facts.Partition.Value = identity.Account, identity.Partition
	return c.removal.PlanRole(ctx, c.facts, iam.New(c.detected.AWS.Config))
}

// identity is whose the credentials are.
func (c *controllerRemoval) identity(ctx context.Context) (detect.Identity, error) {
	if err := c.detected.AWSFailure; err != nil {
		return detect.Identity{}, err
	}
	if c.detected.AWS == nil {
		options := detect.AWSOptions{Profile: c.request.Facts.Profile, Region: c.facts.Region.Value}
		var err error
		if c.detected.AWS, err = detect.LoadAWS(ctx, options); err != nil {
			return detect.Identity{}, err
		}
	}
	return c.detected.AWS.Identity(ctx)
}

// withoutRole adds to what is wrong with the credentials that it goes without.
func withoutRole(err error) error {
	var told *problem.Error
	if !errors.As(err, &told) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	with := *told
	with.Kind = problem.Refused
	with.Next = told.Next + "\nor --keep-role, which leaves the role of the controller in AWS"
	return &with
}

// execute removes what is to go.
func (c *controllerRemoval) execute(ctx context.Context) error {
	err := c.removal.Execute(ctx, func(state health.State) { c.board.Set(state.Name, markOf(state), inLine(state.Text)) })
	c.conn.Forget() // it may serve no Buckets any more
	if err != nil && ctx.Err() == nil {
		c.UI.Line(c.doneSoFar())
	}
	return err
}
