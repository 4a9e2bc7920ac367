// Package plan is the app as it is to be, and the difference to what there is.
//
// Prepare computes what is to be (Desired) from what there is and what the user asked
// for. Desired.Plan compares it with the cluster, IAM and S3, has the checks judge the
// result, and gives a Plan, which install prints and carries out, diff prints, and check
// judges. Both are values: nobody changes them afterwards, and what the user asked for is
// never overwritten by what was found.
//
// It changes nothing, and it prints nothing.
package plan

import (
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/presence"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Plan is the difference between what is to be and what there is.
type Plan struct {
	Desired    Desired
	Objects    *apply.Plan
	Role       *iam.Plan
	Outlook    iam.Outlook  // what the role will be able to do, by what others put on it
	Bucket     bucket.State // of S3
	KnownToIAM bool         // the issuer, with the audience of the app
	Outcomes   []check.Outcome

	Before Before // what exists before the run and that it concerns
}

// Plan plans objects, role and bucket, and has the checks judge them, all at the same
// time. It is an error if a check refuses. With Compare a refusal is only in Outcomes, and
// what could not be planned is missing.
func (d Desired) Plan(ctx context.Context) (Plan, error) {
	parts := newParts(ctx, d)
	if d.Request.How == Compare {
		return compare(ctx, d, parts)
	}
	p := Plan{Desired: d, Outcomes: check.Run(ctx, check.Pre(parts.target()), nil)}
	found, _ := parts.bucket()
	p.Bucket = found.state
	if err := Refusal(p.Outcomes); err != nil {
		return p, tutorialFirst(ctx, d, err)
	}
	var err error
	if p.Objects, err = parts.objects(); err != nil {
		return p, err
	}
	role, err := parts.role()
	if err != nil {
		return p, err
	}
	p.Role, p.Outlook = role.plan, role.outlook
	p.KnownToIAM = parts.provider().Status == check.Passed
	p = look(ctx, p)
	if err := carry(ctx, &p); err != nil {
		return p, err
	}
	return p, ctx.Err()
}

// Target is what command check looks at: the parts of the same plan, of which it judges
// those that are asked for, and says of each what the caller is not allowed to see. The
// checks of what install would change ask World for the plan of the objects.
func (d Desired) Target(ctx context.Context) check.Target {
	parts := newParts(ctx, d)
	target := parts.target()
	judged := d
	judged.Request.How = Judge // the checks plan without having anything judged
	target.Rules.Judge = verdictOf(Judge, sync.OnceValues(func() (*apply.Plan, error) { return planObjects(ctx, judged) }))
	target.GivenRole, target.World = nil, nil
	target.Bucket = func(ctx context.Context) check.Finding { return bucketFinding(ctx, d) }
	target.Role = func(ctx context.Context) check.Finding { return roleFinding(ctx, d) }
	target.Plan = func(ctx context.Context) error {
		_, err := d.World.Plan(ctx)
		err = tutorialFirst(ctx, d, err)
		if several := (*problem.Several)(nil); errors.As(err, &several) && len(several.Problems) == 1 {
			return several.Problems[0]
		}
		return err
	}
	return target
}

// compare plans the objects beside the checks, whatever these say.
func compare(ctx context.Context, d Desired, parts parts) (Plan, error) {
	p, target := Plan{Desired: d}, parts.target()
	target.Plan = func(context.Context) error { return nil } // its items say it
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		p.Objects, err = parts.objects()
		return err
	})
	group.Go(func() error {
		p.Outcomes = check.Run(groupCtx, check.Pre(target), nil)
		return nil
	})
	if err := group.Wait(); err != nil {
		return p, err
	}
	role, _ := parts.role()
	found, _ := parts.bucket()
	p.Role, p.Outlook, p.Bucket = role.plan, role.outlook, found.state
	p.KnownToIAM = parts.provider().Status == check.Passed
	p.Before.Returning = returning(p)
	if p.CreatesBucketResource() && !failedToo(check.Having(p.Outcomes, check.Failed), check.IDBucket) {
		lookAtExisting(ctx, &p)
		p.Before.Losing = carry(ctx, &p)
	}
	return p, ctx.Err()
}

// look finds out what the plan means for what exists.
func look(ctx context.Context, p Plan) Plan {
	d := p.Desired
	if d.GivenRole() {
		lookAtGiven(ctx, &p)
	}
	if d.Project.State.Exists && exposure.Among(d.Objects) == nil {
		p.Before.Exposing = exposure.Left(ctx, d.Project.Conn, d.Project.Name(), p.Objects)
	}
	if d.Request.Adopt.Tutorial() {
		lookAtAdoption(ctx, &p)
	}
	lookAtExisting(ctx, &p)
	p.Before.Secrets = exposure.SecretFlaws(ctx, d.Project.Conn, d.Project.Name(), d.Objects)
	p.Before.Returning = returning(p)
	if p.Objects.Inventory.BucketOrigin == "" {
		p.Objects.Inventory.BucketOrigin = bucketOrigin(p)
	}
	return p
}

// Presence is whether the app is installed before the run, and what is kept of it if it is
// not.
func (p Plan) Presence(ctx context.Context) presence.Seen {
	d := p.Desired
	seen := presence.Seen{Namespace: d.Project.Name(), Inventory: d.Project.Inventory}
	for _, item := range p.Objects.All() {
		if item.Live != nil {
			seen.Objects = append(seen.Objects, item.Live)
		}
	}
	if seen.Installed() {
		return seen
	}
	if p.BucketExists() {
		inside := d.Inside(ctx)
		seen.S3 = presence.S3{State: p.Bucket, Contents: inside.Contents, More: inside.More}
	}
	if actual, err := d.ActualRole(ctx); err == nil && iam.App.Owns(d.reading.desired.Name, actual, d.Facts()) {
		seen.Role = d.reading.desired.Name
	}
	return seen
}

// Changes reports whether project, role or objects change.
func (p Plan) Changes() bool {
	return !p.Desired.Project.State.Exists || !p.Role.Empty() || p.Objects.Changed()
}

// Tightens reports whether the role that was there before changes in this run.
func (p Plan) Tightens() bool { return p.Desired.Request.Tighten && !p.Role.Empty() }

// BucketExists reports whether S3 has the bucket already.
func (p Plan) BucketExists() bool { return p.Bucket.Kind != "" && p.Bucket.Exists() }

// CreatesBucketResource reports whether the run creates the project's Bucket.
func (p Plan) CreatesBucketResource() bool {
	return slices.ContainsFunc(p.Objects.All(), func(item *apply.Item) bool {
		return item.Ref.IsBucket() && item.Action == apply.Create
	})
}

// Kept are the objects that are no longer wanted and stay, because they are data.
func (p Plan) Kept() []string {
	var kept []string
	for _, item := range p.Objects.Left {
		if item.Action == apply.Keep {
			kept = append(kept, item.Ref.String())
		}
	}
	return kept
}

// Warnings are what the checks warn of or may not see, without what is said of a role
// that is used as it is in one line.
func (p Plan) Warnings() []check.Outcome {
	told := []string{check.IDRoleExcess, check.IDTrustAudience}
	asIs := p.Desired.Adopted.AsIs && p.Desired.Adopted.Actual != nil
	return slices.DeleteFunc(check.Having(p.Outcomes, check.Warned, check.NotAllowed), func(o check.Outcome) bool {
		return asIs && o.Status == check.Warned && slices.Contains(told, o.ID)
	})
}

// RoleMaker is what to do about a role that somebody else makes, "" for one that install
// makes or has adopted.
func (p Plan) RoleMaker() string {
	if !p.Desired.GivenRole() {
		return ""
	}
	return check.HaveRoleMade(p.Desired.RenderRole(p.Role.Role))
}

// Exposure is how the app will be reached once the plan is carried out.
func (p Plan) Exposure() exposure.Exposure {
	return exposure.Of(p.Desired.Project.Name(), p.Desired.Objects, exposedBy(p))
}

// exposedBy is the Route or Ingress that will lead to the app: the rendered one, or one
// that exists and that the plan does not delete.
func exposedBy(p Plan) exposure.By {
	if object := exposure.Among(p.Desired.Objects); object != nil {
		for _, item := range p.Objects.Items {
			if exposure.IsKind(item.Ref.Kind) && item.Would != nil {
				object = item.Would
				break
			}
		}
		return exposure.By{Object: object, Managed: true}
	}
	for _, item := range p.Objects.Left {
		if exposure.IsKind(item.Ref.Kind) && item.Live != nil && item.Action == apply.Keep {
			return exposure.By{Object: item.Live}
		}
	}
	return p.Before.Exposing
}

// exposedAlready reports whether a Route or an Ingress leads to the app before the run.
func exposedAlready(p Plan) bool {
	exposes := func(item *apply.Item) bool { return exposure.IsKind(item.Ref.Kind) && item.Live != nil }
	return slices.ContainsFunc(p.Objects.All(), exposes) || p.Before.Exposing.Object != nil
}

// running are the app's Deployments as they are before the run.
func running(p Plan) []*unstructured.Unstructured {
	var running []*unstructured.Unstructured
	for _, item := range p.Objects.Items {
		if item.Ref.Kind == "Deployment" && item.Live != nil {
			running = append(running, item.Live)
		}
	}
	return running
}
