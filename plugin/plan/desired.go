package plan

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Desired is the app as it is to be.
type Desired struct {
	Project project.Project
	Request Request
	Values  render.Options // Request.Values, with the role's ARN
	Objects []*unstructured.Unstructured
	Extra   render.Extra // labels and annotations that the values add to all objects
	Role    iam.Role
	Adopted Adopted // the role that was there before, if there was one
	// Recalled are the values of the last install that are among Values.
	Recalled Recalled

	World   *live.World    // what the run asks, each thing once
	Buckets *bucket.Client // of the region of the bucket
	reading *reading       // of Role, once in a run
	counted *counted
}

// Facts are the facts of the project.
func (d Desired) Facts() render.Facts { return d.Project.Facts }

// UsesRole reports whether the run uses a role and changes nothing about it.
func (d Desired) UsesRole() bool { return d.Request.IAM == IAMSkip || d.Adopted.AsIs }

// GivenRole reports whether somebody else makes the role (--iam=skip).
func (d Desired) GivenRole() bool { return d.UsesRole() && !d.Adopted.AsIs }

// RoleOrigin is what the record says of who makes the role.
func (d Desired) RoleOrigin() string {
	switch {
	case d.Request.IAM == IAMSkip:
		return apply.OriginExisting
	case d.Adopted.Found():
		return apply.OriginAdopted
	}
	return ""
}

// ProjectsIdentity reports whether the frontend's pods carry their identity themselves,
// rather than get it from the cluster's webhook.
func (d Desired) ProjectsIdentity() bool {
	for _, object := range d.Objects {
		if object.GetKind() != "Deployment" || object.GetName() != render.Frontend {
			continue
		}
		volumes, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "volumes")
		return slices.ContainsFunc(volumes, func(volume any) bool {
			fields, _ := volume.(map[string]any)
			return fields["name"] == "aws-iam-token"
		})
	}
	return false
}

// RenderRole is the command that prints the role.
func (d Desired) RenderRole(role iam.Role) string {
	name := d.Project.Name()
	words := append([]string{"-n", name}, advice.RoleFlags(role.Name, role.Path, render.RoleName(d.Facts().Issuer.Value, name))...)
	if policy := d.Request.Role.PolicyARN; policy != "" { // your flag; what the project's record says is not repeated
		words = append(words, "--policy-arn", policy)
	}
	return advice.Command("oc ostoy-s3 iam render", words...)
}

// reading reads a role once in a run. It is safe for concurrent use.
type reading struct {
	desired iam.Role

	mu     sync.Mutex
	asked  bool
	actual *iam.Actual
	err    error
}

// answer notes what IAM says of a role that was read before. An error is one of the
// findings of the checks.
func (r *reading) answer(actual *iam.Actual, err error) {
	r.actual, r.err = iam.ToCreate(actual, err)
	r.asked = true
}

func (r *reading) get(read func() (*iam.Actual, error)) (*iam.Actual, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.asked {
		r.actual, r.err = read()
		r.asked = true
	}
	return r.actual, r.err
}

// ActualRole is the app's role as it is, nil if the caller is not allowed to read it.
func (d Desired) ActualRole(ctx context.Context) (*iam.Actual, error) {
	switch {
	case d.Adopted.AsIs:
		return d.Adopted.Actual, nil
	case d.GivenRole():
		return d.World.Role(ctx)
	}
	return d.reading.get(func() (*iam.Actual, error) {
		return iam.ToCreate(iam.Read(ctx, d.World.Roles, d.reading.desired.Name, d.Project.Inventory.Found))
	})
}

// ProvesBucket is what the app's role says about the project's bucket.
//
// A Bucket resource that is created does not always create a bucket: one of the name that
// exists in the account is adopted, with what is in it. Its tags say that it is this
// project's, but everybody who can write a Bucket resource can have the controller write
// them, and everybody who can edit the project can write the inventory. Only the IAM role
// shows that the bucket is the project's, because writing its tags takes AWS permissions.
func (d Desired) ProvesBucket(ctx context.Context) iam.Proof {
	actual, err := d.ActualRole(ctx)
	name := d.reading.desired.Name
	if err != nil || actual == nil || actual.Hidden {
		return iam.Proof{Why: "the role " + advice.RoleName(name).String() + " cannot be read"}
	}
	return actual.Proves(name, render.BucketName(d.Project.Name()), d.Facts())
}

// counted is what is in the bucket, counted once in a run.
type counted struct {
	once   sync.Once
	inside bucket.Inside
}

// Inside counts what is in the bucket, once in a run.
func (d Desired) Inside(ctx context.Context) bucket.Inside {
	d.counted.once.Do(func() { d.counted.inside = bucket.LookInside(ctx, d.Buckets, bucket.TargetOf(d.Facts())) })
	return d.counted.inside
}

// parts are the parts of a plan. Each is made once, when somebody first asks for it: the
// checks that judge it, or the plan that consists of it. They can be made at the same time.
type parts struct {
	desired  Desired
	objects  func() (*apply.Plan, error)
	verdict  func(context.Context) (check.Verdict, error) // nil: nothing is sent to be judged
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
	objects := sync.OnceValues(func() (*apply.Plan, error) { return planObjects(ctx, d) })
	d.World.Planner = func(context.Context) (*apply.Plan, error) { return objects() }
	return parts{
		desired: d,
		objects: objects,
		verdict: verdictOf(d.Request.How, objects),
		role:    sync.OnceValues(func() (rolePart, error) { return planRole(ctx, d) }),
		bucket:  sync.OnceValues(func() (bucketPart, error) { return lookAtBucket(ctx, d) }),
		provider: sync.OnceValue(func() check.Finding {
			if d.Facts().IssuerPending() {
				return pending(d)
			}
			return check.Provider(ctx, d.World)
		}),
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
			_, err := apply.Refusals(p.objects()) // what the cluster's rules refuse is for a check of its own
			return err
		},
		Rules:  check.Rules{World: d.World, Judge: p.verdict},
		Coming: check.Prospect{First: !d.Project.Inventory.Found, ControllerComes: d.Request.Controller == ControllerComes},
	}
	if !d.Project.State.Exists {
		target.Namespace = check.NamespaceMissing
	}
	switch {
	case d.Facts().IssuerPending():
		target.Role = func(context.Context) check.Finding { return pending(d) }
	case d.UsesRole():
		d.World.RoleNamed = d.Role.Name
		target.GivenRole = given(d)
	}
	if d.UsesRole() || looksAtController(d) {
		target.World = d.World
	}
	return target
}

// pending is the finding about what depends on an issuer that is not known yet.
func pending(d Desired) check.Finding { return check.Leave("the issuer is " + d.Facts().Issuer.Source) }

// looksAtController reports whether the checks look at the controller.
func looksAtController(d Desired) bool { return d.Request.Controller == ControllerChecked }

// roleFinding says whether the next install may change the role. The role that other
// checks look at as well is asked for once.
func roleFinding(ctx context.Context, d Desired) check.Finding {
	record := d.Project.Inventory.Record
	if d.Facts().IssuerPending() {
		return pending(d)
	}
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
	if err := iam.MissingPolicy(ctx, plan, policies); err != nil {
		return rolePart{}, err
	}
	return rolePart{plan, iam.LookAhead(ctx, policies, role, actual, role.OwnPolicy())}, nil
}

// given has the checks of an app's role look at the one that is used as it is.
func given(d Desired) *check.GivenRole {
	mend := check.HaveRoleMade(d.RenderRole(d.Role))
	if d.Adopted.AsIs {
		mend = advice.TightenRole(d.Project.Name()) + " gives it what the app needs"
	}
	return &check.GivenRole{ARN: d.Role.ARN, Mend: mend}
}
