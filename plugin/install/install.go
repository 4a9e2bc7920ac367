// Package install makes bucket, role and app, in one command that can be repeated:
//
//	Look (package project) → Prepare, Plan (package plan) → announce → Execute → Await → verify
//
// Until the plan is printed nothing is touched; one exception is a new project that is
// needed to learn the issuer, which a refusal removes again.
package install

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// run is one install.
type run struct {
	*session.Session
	request Request
	started time.Time
	board   *ui.Board
	done    *Done
	conn    *cluster.Conn // by which the project was made
	free    *bucket.State // what S3 said of a name that this run has chosen
}

// Run makes bucket, role and app. It is a refusal if a check fails before anything is
// touched, NotReady if something is not ready in time or never will be, and tells of a run
// that was cut off what it has done.
func Run(ctx context.Context, s *session.Session, request Request) error {
	i := &run{Session: s, request: request, started: s.Now(), board: s.UI.Board(render.Frontend, render.Microservice), done: &Done{}}
	return i.onceMore(session.InTime(ctx, request.Timeout, request.Timeout, i.done.SoFar, i.run))
}

// onceMore adds the command to the advice to run the same one again, for a project whose
// name this run has chosen: the same command would choose another.
func (i *run) onceMore(err error) error {
	if i.done.Project == "" || i.request.ProjectName != AnyProject {
		return err
	}
	reword := func(p *problem.Error) *problem.Error {
		told := *p
		if strings.Contains(p.Next, "run the same command again") {
			told.Next += "\nthe command is now: " + advice.Command("oc ostoy-s3 install", "-n", i.done.Project)
		}
		return &told
	}
	var several *problem.Several
	var one *problem.Error
	switch {
	case errors.As(err, &several):
		told := &problem.Several{Note: several.Note}
		for _, p := range several.Problems {
			told.Problems = append(told.Problems, reword(p))
		}
		return told
	case errors.As(err, &one):
		return reword(one)
	}
	return err
}

func (i *run) run(ctx context.Context) error {
	p, err := i.plan(ctx)
	if err == nil {
		err = confirmReturn(ctx, i, p)
	}
	if err == nil {
		err = confirmExposure(ctx, i, p)
	}
	if err != nil {
		removeProject(ctx, i)
		return i.done.correct(err)
	}
	switch {
	case i.request.DryRun != session.DryRunNone:
		return reportDryRun(i, p)
	case i.request.Mode == ModeManual:
		return printManual(ctx, i, p)
	}
	if err := mayTighten(ctx, i, p); err != nil {
		return err
	}
	if controllerComes(i) {
		if err := i.request.Controller.MayExecute(ctx); err != nil {
			return err
		}
	}
	i.done.Nothing = i.nothingToDo(p) && i.done.Project == ""
	if err := i.begin(ctx, p); err != nil {
		return err
	}
	if err := i.execute(ctx, p); err != nil {
		if ctx.Err() == nil { // else the error's own text says it
			i.UI.Line(i.done.SoFar())
		}
		return err
	}
	return await(ctx, i, p)
}

// begin does what comes before the app: the controller, the project.
func (i *run) begin(ctx context.Context, p plan.Plan) error {
	if err := installController(ctx, i, p.Desired.Project); err != nil {
		return err
	}
	if !p.Desired.Project.State.Exists {
		if err := makeProject(ctx, i, p.Desired.Project); err != nil {
			return err
		}
	}
	return use(i, p.Desired.Project)
}

// plan looks, plans and prints the plan.
func (i *run) plan(ctx context.Context) (plan.Plan, error) {
	values, err := i.ReadValues(ctx, i.request.Chart)
	if err != nil {
		return plan.Plan{}, err
	}
	found, err := i.look(ctx)
	if err != nil {
		return plan.Plan{}, err
	}
	if c := i.request.Controller; c != nil {
		if err := c.Plan(ctx, found); err != nil {
			return plan.Plan{}, err
		}
	}
	p, err := i.planBesideOthers(ctx, found, i.wanted(found, values))
	if err != nil {
		return p, err
	}
	return p, tellPlanWithDiff(ctx, i, p)
}

// wanted is what the user asked for, as package plan takes it.
func (i *run) wanted(found project.Project, values render.Options) plan.Request {
	r := i.request
	return plan.Request{
		Values: values, Role: r.Role, IAM: r.IAM, Adopt: r.Adopt, Tighten: r.Tighten,
		ForceConflicts: r.ForceConflicts, ForceOwner: r.ForceOwner, How: r.how(),
		Controller: controllerPart(i, found), Bucket: i.free, Version: i.Version, Now: i.Now,
	}
}

// nothingToDo reports whether project, role, objects and, if it is asked for, the
// controller are as they are to be.
func (i *run) nothingToDo(p plan.Plan) bool { return !p.Changes() && !controllerComes(i) }

// Mode is who carries out the plan.
type Mode string

// The modes, as rosa has them.
const (
	ModeAuto   Mode = "auto"   // install does
	ModeManual Mode = "manual" // whoever runs the script that is printed
)

// Known reports whether m is one of the modes.
func (m Mode) Known() bool { return m == ModeAuto || m == ModeManual }

// AnyProject asks for a new project with a name of our choice. It is no legal name itself.
const AnyProject = "*"

// Request is what is to be installed, and how.
type Request struct {
	Facts session.Facts
	Chart session.Chart
	Role  iam.RoleOptions
	IAM   plan.IAMMode

	ProjectName string // of a project to be made, AnyProject, or empty for -n
	Use         bool   // switch the kubeconfig to the new project

	DryRun         session.DryRun
	Mode           Mode     // empty: ModeAuto
	ToolFlags      []string // of oc and kubectl, by which the user chose the cluster; for ModeManual
	Again          []string // the flags of this run without those that name a new project; for ModeManual
	Wait           bool
	Verify         bool          // prove that it works, once it is waited for
	Timeout        time.Duration // of everything together
	ForceConflicts bool
	ForceOwner     bool // also what Argo CD, Flux or Helm bring
	// Adopt is what may be taken over. Tutorial brings in what somebody made by hand with
	// the ROSA tutorial. The role it made is used as it is, unless Tighten is asked for,
	// which needs a yes: Yes, or the word from Ask (nil: nobody is at a terminal).
	Adopt   adopt.Set
	Tighten bool
	Yes     bool
	Ask     session.Ask

	Controller   Controller     // installs the ACK S3 controller first, if there is none; nil: not asked for
	Diff         bool           // print the diff before anything is done
	ExternalDiff string         // command that shows it, as KUBECTL_EXTERNAL_DIFF has it; "": this tool
	Output       session.Format // FormatJSON, or empty for talk and the URL
}

// onlyLooks reports whether the run persists nothing, not even a project.
func (r Request) onlyLooks() bool { return r.DryRun != session.DryRunNone || r.Mode == ModeManual }

// how is how closely the plan looks.
func (r Request) how() plan.How {
	switch {
	case r.DryRun == session.DryRunClient:
		return plan.Guess
	case r.DryRun == session.DryRunServer, r.Mode == ModeManual, r.Diff:
		return plan.Judge
	}
	return plan.Apply
}

// Controller installs the ACK S3 controller beside the app (--with-controller). It is
// planned with the app, from the same look, and comes before it.
type Controller interface {
	// MayPlan refuses a caller who is not allowed to, before anything is made.
	MayPlan(ctx context.Context, p project.Project) error
	// Plan plans what changes; nothing if there is a controller.
	Plan(ctx context.Context, p project.Project) error
	// Changes reports whether anything does. LooksAtRole: whether the plan has looked at
	// the role of a controller that is used, which else the checks of a first install do.
	Changes() bool
	LooksAtRole() bool

	AnnounceNotes()
	AnnounceReach()
	AnnounceSteps()

	MayExecute(ctx context.Context) error
	Execute(ctx context.Context) error
	// Done says what a run that was cut off has done, "" if nothing.
	Done() string
	// Document is for `install -o json`.
	Document() any
}
