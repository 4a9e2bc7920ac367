package plan

import (
	"cmp"
	"context"
	"sync"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

// parts are the parts of a plan. Each is made once, when somebody first asks for it: the
// checks that judge it, or the plan that consists of it. They can be made at the same time.
type parts struct {
	desired  Desired
	objects  func() (*apply.Plan, error)
	role     func() (rolePart, error)
	bucket   func() (bucketPart, error)
	provider func() check.Finding
}

type rolePart struct {
	plan    *iam.Plan
	outlook iam.Outlook // what the role will be able to do, by what others put on it
}

type bucketPart struct {
	state   bucket.State
	refused error // why install may not use it
}

func newParts(ctx context.Context, d Desired) parts {
	return parts{
		desired:  d,
		objects:  sync.OnceValues(func() (*apply.Plan, error) { return planObjects(ctx, d) }),
		role:     sync.OnceValues(func() (rolePart, error) { return planRole(ctx, d) }),
		bucket:   sync.OnceValues(func() (bucketPart, error) { return lookAtBucket(ctx, d) }),
		provider: sync.OnceValue(func() check.Finding { return check.Provider(ctx, d.World) }),
	}
}

// target is what the checks before an install look at.
func (p parts) target() check.Target {
	d := p.desired
	target := check.Target{
		Facts:     d.Facts(),
		Conn:      d.Project.Conn,
		Objects:   d.Objects,
		Namespace: check.NamespaceExists,
		Bucket: func(context.Context) check.Finding {
			found, err := p.bucket()
			return check.Fail(cmp.Or(err, found.refused))
		},
		Provider: func(context.Context) check.Finding { return p.provider() },
		Role: func(context.Context) check.Finding {
			_, err := p.role()
			return check.Fail(err)
		},
		Plan: func(context.Context) error {
			_, err := p.objects()
			return err
		},
		ControllerComes: d.Request.Controller == ControllerComes,
		FirstRun:        !d.Project.Inventory.Found,
	}
	if !d.Project.State.Exists {
		target.Namespace = check.NamespaceMissing
	}
	if d.UsesRole() {
		d.World.RoleNamed = d.Role.Name
		target.GivenRole = given(d)
	}
	if d.UsesRole() || looksAtController(d) {
		target.World = d.World
	}
	return target
}

// looksAtController reports whether the checks look at the controller.
func looksAtController(d Desired) bool { return d.Request.Controller == ControllerChecked }

// roleFinding says whether the next install may change the role. The role that other
// checks look at as well is asked for once.
func roleFinding(ctx context.Context, d Desired) check.Finding {
	record := d.Project.Inventory.Record
	if record.RoleOrigin == apply.OriginExisting {
		return check.Leave("somebody else makes the role: it was installed with --iam=skip")
	}
	desired := d.reading.desired
	actual, err := d.World.RoleOf(ctx, desired.Name)
	if awserr.Denied(err) {
		return check.Unseen("iam:GetRole on role "+desired.Name, "whether the role is free or ours")
	}
	if err == nil {
		_, err = iam.NewPlan(desired, actual, d.Facts())
		if err != nil && record.RoleOrigin == apply.OriginAdopted {
			return check.Leave("the role was there before install, and is used as it is")
		}
	}
	return check.Fail(err)
}

// planRole plans what changes about the role, nothing about one that is used as it is.
func planRole(ctx context.Context, d Desired) (rolePart, error) {
	if d.UsesRole() {
		return rolePart{plan: &iam.Plan{Role: d.Role}}, nil
	}
	actual, err := d.ActualRole(ctx)
	if err != nil {
		return rolePart{}, err
	}
	plan, err := iam.NewPlan(d.Role, actual, d.Facts())
	if err != nil {
		return rolePart{}, err
	}
	role := plan.Role // with the managed policy that the role's tag names
	policies := &live.World{Facts: d.Facts(), Roles: d.World.Roles, RoleNamed: role.Name}
	return rolePart{plan, iam.LookAhead(ctx, policies, role, actual, role.OwnPolicy())}, nil
}

// lookAtGiven notes what somebody else's role does. The checks have read it: the answers
// are the same.
func lookAtGiven(ctx context.Context, p *Plan) {
	d := p.Desired
	if actual, err := d.World.Role(ctx); err == nil {
		p.Role.Role = d.Role.AsTagged(actual)
		p.Outlook = iam.LookAhead(ctx, d.World, p.Role.Role, actual, actual.OwnPolicy())
	}
}

// given has the checks of an app's role look at the one that is used as it is.
func given(d Desired) *check.GivenRole {
	mend := check.HaveRoleMade(d.RenderRole(d.Role))
	if d.Adopted.AsIs {
		mend = advice.TightenRole(d.Project.Name()) + " gives it what the app needs"
	}
	return &check.GivenRole{ARN: d.Role.ARN, Mend: mend}
}
