package plugin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/verify"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// DryRun is how far an install goes.
type DryRun string

// The ways to run.
const (
	DryRunNone   DryRun = "none"
	DryRunClient DryRun = "client" // look and plan; send nothing to be judged
	DryRunServer DryRun = "server" // have the API server judge every object, persist nothing
)

// Known reports whether d is one of the ways.
func (d DryRun) Known() bool {
	return d == DryRunNone || d == DryRunClient || d == DryRunServer
}

// IAMMode is who makes the role.
type IAMMode string

// The ways.
const (
	IAMApply IAMMode = "apply" // install does
	IAMSkip  IAMMode = "skip"  // somebody else has: it is used as it is, if it is what the app needs
)

// Known reports whether m is one of the ways.
func (m IAMMode) Known() bool { return m == IAMApply || m == IAMSkip }

// Mode is who carries out the plan.
type Mode string

// The modes, as rosa has them.
const (
	ModeAuto   Mode = "auto"   // install does
	ModeManual Mode = "manual" // whoever runs the script that is printed
)

// Known reports whether m is one of the modes.
func (m Mode) Known() bool { return m == ModeAuto || m == ModeManual }

// AnyProject asks for a new project with a name of our choice. It is no legal
// name itself.
const AnyProject = "*"

// InstallRequest is what is to be installed, and how.
type InstallRequest struct {
	Facts FactsRequest
	Chart ChartRequest
	Role  RoleRequest
	IAM   IAMMode

	ProjectName string // of a project to be made, AnyProject, or empty for -n
	Use         bool   // switch the kubeconfig to the new project

	DryRun         DryRun
	Mode           Mode     // empty: ModeAuto
	ToolFlags      []string // of oc and kubectl, by which the user chose the cluster; for ModeManual
	Wait           bool
	Verify         bool          // prove that it works, once it is waited for
	Timeout        time.Duration // of everything together
	ForceConflicts bool
	ForceOwner     bool // also what Argo CD, Flux or Helm bring
	// The role of an adopted tutorial is used as it is, unless Tighten is asked for,
	// which needs a yes: Yes, or the word from Ask, who asks at the terminal (nil: nobody
	// is there). Of an adopted role, Role.Adopt is what counts.
	Adopt          Adopt
	Tighten        bool
	Yes            bool
	Ask            func(ctx context.Context, question string) (string, error)
	WithController bool   // install the ACK S3 controller first, where there is none
	BucketPattern  string // of the controller's role, where it is installed
	AllowAnyBucket bool   // as in ControllerRequest
	Diff           bool   // print the diff before anything is done
	ExternalDiff   string // command that shows it, as KUBECTL_EXTERNAL_DIFF has it; "": this tool
	Output         Format // FormatJSON, or empty for talk and the URL
}

// roleClient is what IAM is asked and told.
type roleClient interface {
	iam.API
	iam.ProviderReader
}

// install is one run. Its fields are filled phase by phase: learn, survey,
// execute.
type install struct {
	*App
	request InstallRequest
	started time.Time

	// learned
	conn      *cluster.Conn
	found     detect.Result
	facts     render.Facts
	options   render.Options
	project   project
	inventory apply.Inventory

	looks bool // for Diff: what is refused is noted in the plan

	// surveyed
	controller *controllerRun // nil unless asked for
	objects    []*unstructured.Unstructured
	plan       *apply.Plan
	roles      roleClient
	role       *iam.Plan
	outlook    iam.Outlook // what the role will be able to do, by what others put on it
	given      *live.World // has looked at a role that somebody else makes
	buckets    *bucket.Client
	bucket     bucket.State
	knownToIAM bool // the issuer, with our audience
	adopted    adoptedRole
	adoption   *adoption   // nil unless asked for
	before     foundBefore // what existed before the run
	degraded   bool        // --dry-run=server could only plan, there being no namespace

	// executed
	board          *ui.Board
	madeProject    bool
	leftBehind     []string // projects that could not be taken back
	changedNothing bool
	roleDone       *iam.Result // nil: not executed
	done           map[apply.Action]int
	ready          bool
	proof          *verify.Report // nil: not looked at
}

// Install makes bucket, role and app. Until the plan is printed nothing is
// touched; one exception is a new project that is needed to learn the issuer.
func (a *App) Install(ctx context.Context, request InstallRequest) error {
	i := &install{App: a, request: request, started: a.Now(), board: a.UI.Board(frontend, "ostoy-microservice")}
	return i.onceMore(session.InTime(ctx, request.Timeout, request.Timeout, i.doneSoFar, i.run))
}

// onceMore adds the command to the advice to run the same one again, for a project whose
// name this run has chosen: the same command would choose another.
func (i *install) onceMore(err error) error {
	if !i.madeProject || i.request.ProjectName != AnyProject {
		return err
	}
	reword := func(p *problem.Error) *problem.Error {
		told := *p
		if strings.Contains(p.Next, "run the same command again") {
			told.Next += "\nthe command is now: " + advice.Command("oc ostoy-s3 install", "-n", i.facts.Namespace.Value)
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

func (i *install) run(ctx context.Context) error {
	if err := i.learn(ctx); err != nil {
		return err
	}
	err := i.mayInstallController(ctx)
	if err == nil {
		err = i.projectForIssuer(ctx)
	}
	if err == nil {
		err = i.planController(ctx)
	}
	if err == nil {
		err = i.adoptRole(ctx)
	}
	if err == nil {
		err = i.surveyFreeName(ctx)
	}
	if err == nil {
		err = i.announceWithDiff(ctx)
	}
	if err == nil {
		err = i.confirmExposure(ctx)
	}
	if err != nil {
		if i.madeProject {
			i.removeProject(ctx)
		}
		return err
	}
	if i.request.DryRun != DryRunNone {
		return i.reportDryRun()
	}
	if i.request.Mode == ModeManual {
		return i.printManual(ctx)
	}
	if err := i.mayTighten(ctx); err != nil {
		return err
	}
	if i.controllerComes() {
		if err := i.controller.mayExecute(ctx); err != nil {
			return err
		}
	}
	i.changedNothing = i.nothingToDo() && !i.madeProject
	if err := i.installController(ctx); err != nil {
		return err
	}
	if err := i.makeProject(ctx); err != nil {
		return err
	}
	if err := i.use(i.facts.Namespace.Value); err != nil {
		return err
	}
	if err := i.execute(ctx); err != nil {
		return i.stopped(ctx, err)
	}
	return i.await(ctx)
}
