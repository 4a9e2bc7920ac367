// Package uninstall is the command controller uninstall: it removes the ACK S3 controller
// that this tool installed, with what its inventory names. It asks S3 nothing.
package uninstall

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Request is what the user wants of the removal.
type Request struct {
	Facts session.Facts

	KeepRole   bool
	ForceOwner bool      // also what Argo CD, Flux or Helm bring
	Adopt      adopt.Set // AdoptRole: also a role with policies of others on it

	DryRun  bool
	Timeout time.Duration  // of everything together
	Output  session.Format // FormatJSON, or empty for talk
}

// run is one run of the command.
type run struct {
	*session.Session
	request Request
	board   *ui.Board

	conn      *cluster.Conn
	namespace render.Fact
	role      detect.Result // by what the role is known to be ours; empty with KeepRole
	removal   *controller.Removal
}

// Run removes the controller. Until the plan is printed nothing is touched. The error is a
// refusal if the controller must not be removed, or not all of it, and of kind Failed if
// something that was to be removed is left.
func Run(ctx context.Context, s *session.Session, request Request) error {
	c, started := &run{Session: s, request: request, board: s.UI.Board("controller")}, s.Now()
	if err := session.InTime(ctx, request.Timeout, request.Timeout, c.soFar, c.prepare); err != nil {
		return err
	}
	c.head()
	if !request.DryRun && !c.removal.Empty() {
		c.removal.Lines().Announce(s.UI)
		left := request.Timeout - s.Now().Sub(started)
		if err := session.InTime(ctx, left, request.Timeout, c.soFar, c.execute); err != nil {
			return err
		}
	}
	lines := c.removal.Lines()
	lines.Conclude(s.UI, request.DryRun && !c.removal.Empty())
	if request.Output == session.FormatJSON {
		if err := s.WriteJSON(lines.Document(c.namespace.Value, request.DryRun, s.Now().Sub(started))); err != nil {
			return err
		}
	}
	return lines.Leftovers()
}

// prepare finds out what there is, and plans. It touches nothing.
func (c *run) prepare(ctx context.Context) error {
	facts := c.request.Facts
	given, err := c.Given(ctx, facts)
	if err != nil {
		return err
	}
	if c.namespace, err = project.ControllerNamespace(facts); err != nil {
		return err
	}
	if c.conn, err = c.Connect(ctx); err != nil {
		return err
	}
	if err := controller.MayLookToRemove(ctx, c.conn, c.namespace.Value); err != nil {
		return err
	}
	var removal *controller.Removal
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		removal, err = c.survey(groupCtx)
		return err
	})
	group.Go(func() error { return c.detectRole(groupCtx, session.Facts{Given: given, Profile: facts.Profile}) })
	if err := group.Wait(); err != nil {
		return err
	}
	c.removal, c.role.Facts.Namespace = removal, c.namespace
	return c.planRole(ctx, given)
}

// survey looks at what is in the cluster, and plans.
func (c *run) survey(ctx context.Context) (*controller.Removal, error) {
	found, err := controller.Look(ctx, &live.World{Conn: c.conn, Namespace: c.namespace.Value})
	if err != nil {
		return nil, err
	}
	return controller.PlanRemoval(ctx, found, controller.RemovalOptions{
		ForceOwner: c.request.ForceOwner, AdoptRole: c.request.Adopt.Role(), Now: c.Now,
	})
}

// detectRole finds out by what a role is known to be ours. What fails here matters only if
// there may be one.
func (c *run) detectRole(ctx context.Context, facts session.Facts) (err error) {
	if c.request.KeepRole {
		return nil
	}
	c.role, err = project.DetectController(ctx, c.Session, facts, detect.AskNeeded)
	var told *problem.Error
	if errors.As(err, &told) && told.Kind == problem.Refused { // the issuer is none for AWS
		return nil
	}
	return err
}

// planRole looks for the role, where there may be one.
func (c *run) planRole(ctx context.Context, given render.Facts) error {
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
		return problem.Refuse("the AWS credentials are of account "+identity.Account,
			"the role is looked for in account "+given.Account.Value+", as "+given.Account.Source+" says",
			"choose other credentials with --profile; or --keep-role")
	}
	if !given.Account.Known() {
		if err := c.removal.CheckAccount(identity.Account); err != nil {
			return err
		}
	}
	facts := &c.role.Facts
	c.role.Caller, facts.Account.Value, facts.Partition.Value = identity.Caller, identity.Account, identity.Partition
	return c.removal.PlanRole(ctx, *facts, iam.New(c.role.AWS.Config))
}

// identity is whose the credentials are.
func (c *run) identity(ctx context.Context) (identity detect.Identity, err error) {
	if err := c.role.AWSFailure; err != nil {
		return identity, err
	}
	if c.role.AWS == nil {
		options := detect.AWSOptions{Profile: c.request.Facts.Profile, Region: c.role.Facts.Region.Value}
		if c.role.AWS, err = detect.LoadAWS(ctx, options); err != nil {
			return identity, err
		}
	}
	return c.role.AWS.Identity(ctx)
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

// head prints where this is about to happen, and what the reader should know before.
func (c *run) head() {
	rows := []ui.Row{{Label: "namespace", Text: c.namespace.Value, From: c.namespace.Source}}
	account, issuer := c.role.Facts.Account, c.role.Facts.Issuer
	if c.role.Caller != "" {
		rows = append(rows, ui.Row{Label: "account", Text: account.Value + ", as " + c.role.Caller, From: account.Source})
	}
	if issuer.Known() {
		rows = append(rows, ui.Row{Label: "issuer", Text: issuer.Value, From: issuer.Source})
	}
	c.UI.Rows(rows)
	for _, note := range c.removal.Notes {
		c.UI.Warn(plain.InLine(note), "")
	}
}

// execute removes what is to be removed.
func (c *run) execute(ctx context.Context) error {
	err := c.removal.Execute(ctx, func(state health.State) { c.board.Set(state.Name, announce.Mark(state), plain.InLine(state.Text)) })
	c.conn.Forget() // it may serve no Buckets any more
	if err != nil && ctx.Err() == nil {
		c.UI.Line(c.soFar())
	}
	return err
}

// soFar says what a run that was cut off has removed.
func (c *run) soFar() string {
	if c.removal == nil {
		return removal.Lines{}.SoFar()
	}
	return c.removal.Lines().SoFar()
}
