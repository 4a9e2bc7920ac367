package plugin

import (
	"context"
	"errors"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
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

// AnyProject asks for a new project with a name of our choice. It is no legal
// name itself.
const AnyProject = "*"

// InstallRequest is what is to be installed, and how.
type InstallRequest struct {
	Facts FactsRequest
	Chart ChartRequest
	Role  RoleRequest

	ProjectName string // of a project to be made, AnyProject, or empty for -n
	Use         bool   // switch the kubeconfig to the new project

	DryRun         DryRun
	Wait           bool
	Verify         bool          // prove that it works, once it is waited for
	Timeout        time.Duration // of everything together
	ForceConflicts bool
	ForceOwner     bool // also what Argo CD, Flux or Helm bring
	AdoptBucket    bool
	WithController bool   // install the ACK S3 controller first, where there is none
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

	// surveyed
	controller *controllerRun // nil unless asked for
	objects    []*unstructured.Unstructured
	plan       *apply.Plan
	roles      roleClient
	role       *iam.Plan
	buckets    *bucket.Client
	bucket     bucket.State
	knownToIAM bool // the issuer, with our audience
	degraded   bool // --dry-run=server could only plan, there being no namespace

	// executed
	board          *ui.Board
	madeProject    bool
	leftBehind     []string // projects that could not be taken back
	changedNothing bool
	roleSteps      []iam.Step
	done           map[apply.Action]int
	ready          bool
	proof          *verify.Report // nil: not looked at
}

// Install makes bucket, role and app. Until the plan is printed nothing is
// touched; one exception is a new project that is needed to learn the issuer.
func (a *App) Install(ctx context.Context, request InstallRequest) error {
	i := &install{App: a, request: request, started: a.Now(), board: a.UI.Board(frontend, "ostoy-microservice")}
	return i.onceMore(inTime(ctx, request.Timeout, request.Timeout, i.doneSoFar, i.run))
}

// onceMore words the advice to run the command again for a project whose name
// this run has chosen: the same command would choose another.
func (i *install) onceMore(err error) error {
	if !i.madeProject || i.request.ProjectName != AnyProject {
		return err
	}
	reword := func(p *problem.Error) *problem.Error {
		told := *p
		told.Next = strings.ReplaceAll(p.Next, "run the same command again", "run oc ostoy-s3 install -n "+i.facts.Namespace.Value)
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
		err = i.surveyFreeName(ctx)
	}
	if err != nil {
		if i.madeProject {
			i.removeProject(ctx)
		}
		return err
	}
	i.announce()
	if i.request.DryRun != DryRunNone {
		return i.reportDryRun()
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
