package install

import (
	"cmp"
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

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
func (c *Controller) Done() string { return doneOf(c.run) }

// Document is the part of the controller in a document.
func (c *Controller) Document() any { return document(c.run) }

// withHelm refuses to install the app before you installed the controller with Helm.
func withHelm(c *run, pattern string) error {
	return problem.Refuse("there is no ACK S3 controller, and this cluster has no Operator Lifecycle Manager to install it",
		"without OLM, you install it with Helm, after its role and permissions are created",
		advice.NewController(pattern)+"\n"+helmLine(c)+"\nthen the same command again").See("docs/controller.md")
}

// mustReach refuses a controller whose role cannot manage the bucket of the project
// that is installed with it. A pattern that you gave and that does not match is wrong
// input; what the role, or its permissions boundary, allows already is not. A role that
// is not managed by ostoy-s3 keeps its policies, whatever pattern you gave.
func mustReach(c *run) error {
	r, bucket := c.plan.Reach, c.bucket
	if r == nil || bucket == "" || r.Unknown != "" || r.Covers(bucket) {
		return nil
	}
	given, managed := c.request.Role.BucketPattern, c.plan.Role != nil
	e := problem.Refuse("the controller's role cannot manage the bucket "+bucket,
		"it reaches "+r.Text(r.Account),
		check.WidenRole(managed, bucket, r.Reach))
	if managed && given != "" && !iam.MatchPattern(given, bucket) {
		pattern := bucket
		if !c.plan.Role.Creates() {
			pattern = cmp.Or(iam.WiderPattern([]string{given}, bucket), bucket)
		}
		e.Kind = problem.Usage
		e.What = advice.Command("--bucket-pattern", given) + " does not match " + bucket + ", the bucket of the project"
		e.Next = "a pattern that matches it, such as " + advice.Command("--bucket-pattern", pattern)
	}
	return e
}
