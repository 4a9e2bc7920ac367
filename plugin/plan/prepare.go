package plan

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Possible ends a run if a fact is missing or cannot be, or if the role cannot be as asked.
func Possible(p project.Project, role iam.RoleOptions) error {
	found := p.Found
	found.Facts = p.Facts
	if err := found.Require(); err != nil {
		return err
	}
	if err := p.Facts.Validate(); err != nil {
		return err
	}
	_, err := iam.Desired(p.Facts, role)
	return err
}

// Prepare says what is to be. It asks IAM which role the app has, if nothing that is
// known says it, and nothing else. The facts of the project must be complete.
func Prepare(ctx context.Context, p project.Project, r Request) (Desired, error) {
	config := p.Found.AWS.In(p.Facts.Region)
	d := Desired{
		Project: p, Request: r, Values: r.Values, Buckets: bucket.New(config), counted: &counted{},
		World: &live.World{Conn: p.Conn, Namespace: p.Name(), Facts: p.Facts, AWSRegion: p.Found.AWS.ConfiguredRegion, Roles: iam.New(config), Buckets: bucket.New(config)},
	}
	var err error
	options := r.Role
	if d.Recalled, err = recallValues(p, r.Values); err != nil {
		return d, err
	}
	d.Values.Recorded = d.Recalled.Values
	recallIAM(ctx, &d)
	if d.Adopted, err = adopted(ctx, d); err != nil {
		return d, err
	}
	if a := d.Adopted; a.Found() {
		options.Name, options.Path, options.Tighten = a.Wanted.Name, a.Wanted.Path, r.Tighten
	}
	if d.reading, err = settle(ctx, d, options); err != nil {
		return d, err
	}
	d.Role = d.reading.desired
	d.Values.RoleARN = d.Role.ARN
	d.Objects, d.Extra, err = rendered(ctx, p.Facts, d.Values)
	return d, err
}

// Names of roles that earlier versions created are shorter than those of new ones. Such a
// role is kept. Which one a project has is known from its inventory, or from IAM. The
// inventory, which everybody who can edit the project can write, only chooses between the
// two names, and both belong to this project.

// settle decides which role the app has.
func settle(ctx context.Context, d Desired, options iam.RoleOptions) (*reading, error) {
	f, once := d.Facts(), &reading{}
	recorded := iam.UsualNameIn(d.Project.Inventory.RoleARN, f)
	skips := d.Request.IAM == IAMSkip
	if options.Name == "" && options.Path == "" {
		options = recalled(ctx, d, options, once)
	}
	switch {
	case f.IssuerPending(): // IAM has no role that anybody could name
		options.Name = cmp.Or(options.Name, render.RoleName(f.Issuer.Value, f.Namespace.Value))
		once.answer(&iam.Actual{}, nil)
	case options.Name != "":
	case recorded == "":
		usual := d.World.UsualRole(ctx, iam.Counts{Trusting: skips, Any: options.Adopt})
		if ctx.Err() != nil {
			return nil, usual.Err
		}
		options.Name = usual.Name
		once.answer(usual.Actual, usual.Err)
	case recorded == render.EarlierRoleName(f.Issuer.Value, f.Namespace.Value):
		// If it does not exist, the role is a new one, with the name of a new one.
		actual, err := d.World.RoleOf(ctx, recorded)
		if ctx.Err() != nil {
			return nil, err
		}
		if err == nil && !actual.Exists && !skips {
			break
		}
		options.Name = recorded
		once.answer(actual, err)
	default:
		options.Name = recorded
	}
	var err error
	once.desired, err = iam.Desired(f, options)
	return once, err
}

// IAMMode is who makes the role.
type IAMMode string

// The ways.
const (
	IAMAsBefore IAMMode = ""      // as in the last install; the first one applies
	IAMApply    IAMMode = "apply" // install does
	IAMSkip     IAMMode = "skip"  // somebody else has: it is used as it is, if it is what the app needs
)

// Known reports whether m is one of the ways.
func (m IAMMode) Known() bool { return m == IAMAsBefore || m == IAMApply || m == IAMSkip }

// How is how closely a plan looks.
type How int

// The ways to plan. None of them persists anything.
const (
	Apply   How = iota // the server says what changes of what exists
	Guess              // nothing is sent to be judged
	Judge              // the server judges also what is new
	Compare            // as Judge, and what is refused is noted rather than ending the plan
)

// Request is what the user asked for.
type Request struct {
	Values  render.Options // as they were read
	Role    iam.RoleOptions
	IAM     IAMMode
	Adopt   adopt.Set
	Tighten bool // the role that was there before

	ForceConflicts bool // also objects and fields of others
	ForceOwner     bool // also what Argo CD, Flux or Helm bring
	How            How
	Controller     Controller
	Bucket         *bucket.State // what S3 said of it a moment ago; nil: it is asked

	Version string // of this tool, for the record
	Now     func() time.Time
}

// Controller is what the same run does about the ACK S3 controller.
type Controller int

// What a run does.
const (
	ControllerChecked Controller = iota // the checks look at it
	ControllerPlanned                   // its own plan has looked at it
	ControllerComes                     // it is installed, or changed, before the app
)

// Refusal is the error of all checks that failed, nil if none did.
func Refusal(outcomes []check.Outcome) error {
	failed := check.Having(outcomes, check.Failed)
	if len(failed) == 0 {
		return nil
	}
	several := &problem.Several{Note: "nothing was changed"}
	for _, outcome := range failed {
		if errors.Is(outcome.Err, context.Canceled) || errors.Is(outcome.Err, context.DeadlineExceeded) {
			return outcome.Err
		}
		for _, one := range problemsOf(outcome) {
			// A permission that is missing is said by the check for permissions, not by
			// every request that needed it.
			if outcome.ID == check.IDObjects && apierrors.IsForbidden(one.Err) && failedToo(failed, check.IDClusterRights) {
				continue
			}
			several.Problems = append(several.Problems, one)
		}
	}
	several.Problems = problem.Merge(several.Problems)
	return several
}

// problemsOf gives each of several problems its own three parts.
func problemsOf(outcome check.Outcome) []*problem.Error {
	var parts *problem.Several
	if !errors.As(outcome.Err, &parts) {
		return []*problem.Error{outcome.Problem()}
	}
	problems := make([]*problem.Error, len(parts.Problems))
	for n, part := range parts.Problems {
		problems[n] = check.Outcome{Check: outcome.Check, Finding: check.Fail(part)}.Problem()
	}
	return problems
}

func failedToo(failed []check.Outcome, id string) bool {
	return slices.ContainsFunc(failed, func(o check.Outcome) bool { return o.ID == id })
}

// Refused is the error for all that install would refuse, of a plan with Compare; nil if
// nothing.
func (p Plan) Refused(ctx context.Context) error {
	several := &problem.Several{}
	if err := Refusal(p.Outcomes); err != nil && !errors.As(err, &several) {
		return err
	}
	failed := check.Having(p.Outcomes, check.Failed)
	for _, item := range p.Objects.All() {
		switch {
		case item.Err == nil,
			apierrors.IsForbidden(item.Err) && failedToo(failed, check.IDClusterRights),
			item.Ref.IsBucket() && failedToo(failed, check.IDBucketCRD):
			continue // or said already
		}
		several.Problems = append(several.Problems, problem.InParts(item.Err)...)
	}
	for _, err := range []error{p.Objects.InventoryErr, p.Before.Losing} {
		if err != nil {
			several.Problems = append(several.Problems, problem.InParts(err)...)
		}
	}
	if len(several.Problems) == 0 {
		return nil
	}
	several.Problems = problem.Merge(several.Problems)
	several.Note = "install would refuse; the diff is of everything else"
	return tutorialFirst(ctx, p.Desired, several)
}

// tutorialFirst makes one problem of all in a refusal that `install --adopt` would solve,
// and says it first. That the S3 bucket is not managed by ostoy-s3 stays a problem of its
// own, unless a role lets the app in already: anybody who can edit the project can apply
// the tutorial's objects, with the name of a bucket of others.
func tutorialFirst(ctx context.Context, d Desired, refused error) error {
	several, isSeveral := errors.AsType[*problem.Several](refused)
	if one, alone := errors.AsType[*problem.Error](refused); !isSeveral && alone && errors.Is(one.Err, apply.ErrAdoptable) {
		several, isSeveral = &problem.Several{Problems: []*problem.Error{one}}, true
	}
	if !isSeveral {
		return refused
	}
	fits := func() bool { return tutorialRoleFits(ctx, d) }
	return &problem.Several{Problems: adoptionFirst(several.Problems, d.Project.Name(), fits), Note: several.Note}
}

func adoptionFirst(problems []*problem.Error, namespace string, roleFits func() bool) []*problem.Error {
	byHand := func(p *problem.Error) bool { return errors.Is(p.Err, apply.ErrAdoptable) }
	var names []string
	for _, p := range problems {
		if byHand(p) {
			names = append(names, p.Named()...)
		}
	}
	if len(names) == 0 {
		return problems
	}
	one := problem.Refuse("project "+namespace+" has OSToy as the ROSA tutorial makes it by hand",
		"not ours: "+strings.Join(names, ", "),
		advice.Command("oc ostoy-s3 install", "-n", namespace, "--adopt")+" adopts it with its data; with --dry-run=server it only shows what would change").See("docs/moving.md").Because(apply.ErrAdoptable)
	hasBucket := slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "Bucket ") })
	rest := slices.DeleteFunc(slices.Clone(problems), func(p *problem.Error) bool {
		return byHand(p) || hasBucket && p.More == bucket.MoreForeign && roleFits()
	})
	return append([]*problem.Error{one}, rest...)
}
