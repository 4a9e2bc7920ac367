package plugin

import (
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// surveyFreeName surveys, and where the name of the new project was ours to
// choose, chooses again as long as its bucket is somebody's already.
func (i *install) surveyFreeName(ctx context.Context) error {
	const tries = 5
	for range tries {
		err := i.surveyBesideOthers(ctx)
		ourChoice := i.request.ProjectName == AnyProject && (!i.project.exists || i.madeProject)
		if taken := i.bucket.Kind != "" && i.bucket.Exists(); !ourChoice || !taken {
			return err
		}
		if i.madeProject { // early, for the issuer, which is known by now
			i.removeProject(ctx)
		}
		if i.facts.Namespace.Value, err = randomProject(); err != nil {
			return err
		}
	}
	return i.surveyBesideOthers(ctx)
}

// survey renders the objects, plans them and the role, and runs the checks
// that must pass, all at the same time. It touches nothing.
func (i *install) survey(ctx context.Context) error {
	target, err := i.target(ctx, i.newWorld())
	if err != nil {
		return err
	}
	if !i.project.exists {
		if err := i.planObjects(ctx); err != nil {
			return err
		}
	}
	outcomes := check.Run(ctx, check.Pre(target), nil)
	if err := i.heed(i.worthTelling(outcomes)); err != nil {
		return i.tutorialFirst(ctx, err)
	}
	i.lookAtGiven(ctx)
	i.lookAtLeftExposing(ctx)
	i.lookAtAdoption(ctx)
	i.lookAtExisting(ctx)
	i.warnOfSecrets(ctx)
	if i.plan.Inventory.BucketOrigin == "" {
		i.plan.Inventory.BucketOrigin = i.bucketOrigin()
	}
	return nil
}

// heed refuses where a check failed, and tells what others warn of or may not see.
func (a *App) heed(outcomes []check.Outcome) error {
	if err := refusal(outcomes); err != nil {
		return err
	}
	for _, warning := range check.Having(outcomes, check.Warned, check.NotAllowed) {
		a.UI.Warn(inLine(warning.What+": "+warning.Why), warning.Next)
	}
	return nil
}

// newWorld is what the run looks at.
func (i *install) newWorld() *live.World {
	return &live.World{Conn: i.conn, Namespace: i.facts.Namespace.Value, Facts: i.facts, Roles: iam.New(i.found.AWS.In(i.facts.Region))}
}

// target is what the checks look at. It renders the objects and makes the AWS
// clients. It asks IAM which name the role has if nothing says it.
func (i *install) target(ctx context.Context, world *live.World) (check.Target, error) {
	desired, err := i.settleRole(ctx, world)
	if err != nil {
		return check.Target{}, err
	}
	i.options.RoleARN = desired.ARN
	if i.objects, err = renderObjects(ctx, i.facts, i.options, ""); err != nil {
		return check.Target{}, err
	}
	i.roles = world.Roles
	i.buckets = bucket.New(i.found.AWS.In(i.facts.Region))
	target := check.Target{
		Facts:     i.facts,
		Conn:      i.conn,
		Objects:   i.objects,
		Namespace: check.NamespaceExists,
		Bucket:    func(ctx context.Context) check.Finding { return check.Fail(i.lookAtBucket(ctx)) },
		Provider:  func(ctx context.Context) check.Finding { return i.lookAtProvider(ctx, world) },
		Role:      func(ctx context.Context) check.Finding { return check.Fail(i.planRole(ctx, desired)) },
		Plan:      i.planObjects,

		ControllerComes: i.controllerComes(),
		FirstRun:        !i.inventory.Found,
	}
	if i.looksAtController() {
		target.World = world
	}
	if !i.project.exists {
		target.Namespace = check.NamespaceMissing
	}
	if i.request.IAM == IAMSkip || i.adopted.asIs {
		target.World = world // whoever else has looked: the role's checks ask it
		i.given = world
		i.useRole(desired, &target)
	}
	return target, nil
}

// looksAtController reports whether the checks look at the controller: unless its own
// plan has. The plan of one that is used and gets no more permissions does not look at
// its role, which the first run does.
func (i *install) looksAtController() bool {
	return i.controller == nil || !i.inventory.Found && i.controller.plan.Reach == nil
}

// refusal is the error of all checks that failed, nil if none did.
func refusal(outcomes []check.Outcome) error {
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
			// A right that is missing is told by the check for rights, not by every
			// request that needed it.
			if outcome.ID == check.IDObjects && apierrors.IsForbidden(one.Err) && failedToo(failed, check.IDClusterRights) {
				continue
			}
			several.Problems = append(several.Problems, one)
		}
	}
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

func (i *install) lookAtProvider(ctx context.Context, w *live.World) check.Finding {
	finding := check.Provider(ctx, w)
	i.knownToIAM = finding.Status == check.Passed
	return finding
}

func (i *install) planRole(ctx context.Context, desired iam.Role) error {
	actual, err := i.actualRole(ctx)
	if err != nil {
		return err
	}
	if i.role, err = iam.NewPlan(desired, actual, i.facts); err != nil {
		return err
	}
	desired = i.role.Role // with the managed policy that the role's tag names
	policies := &live.World{Facts: i.facts, Roles: iam.New(i.found.AWS.In(i.facts.Region)), RoleNamed: desired.Name}
	i.outlook = iam.LookAhead(ctx, policies, desired, actual, desired.OwnPolicy())
	return nil
}

// planObjects decides what happens to each object. Without a namespace there
// is nothing to compare with and nothing the API server could judge.
func (i *install) planObjects(ctx context.Context) (err error) {
	fresh := !i.project.exists
	i.degraded = fresh && i.request.DryRun == DryRunServer
	i.plan, err = i.applier(i.facts.Namespace.Value, fresh).Plan(ctx, i.objects, i.inventory, apply.Record{
		RoleARN:         i.options.RoleARN,
		RoleOrigin:      i.roleOrigin(),
		Bucket:          render.BucketName(i.facts.Namespace.Value),
		Account:         i.facts.Account.Value,
		Partition:       i.facts.Partition.Value,
		Region:          i.facts.Region.Value,
		Issuer:          i.facts.Issuer.Value,
		ClusterID:       i.facts.ClusterID.Value,
		NamespaceOrigin: i.project.origin(),
		Version:         i.Version,
	})
	return err
}
