package controller

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Reach is which S3 buckets the controller's role can configure, and what changes
// about that.
type Reach struct {
	iam.Reach
	Account string
	// Existing is how many buckets the account has, Covered how many of them the role
	// reaches. Uncounted says why that is not known.
	Existing, Covered int
	Uncounted         string
	// Before are the patterns of the policy that the role has so far, in words, where it
	// has others, and Narrows says that the new one does not cover all of them.
	Before  string
	Narrows bool
	// Stopping are the Buckets that would stop syncing, namespace/name and the name of
	// the S3 bucket. Unseen says why they are not known.
	Stopping []string
	Unseen   string
	// Confined says that the cluster can keep a Bucket to the buckets of its own project.
	Confined bool
}

// Asks reports whether the reach is to be changed in a way that needs a yes.
func (r *Reach) Asks() bool {
	return r != nil && (len(r.Stopping) > 0 || r.Narrows && r.Unseen != "")
}

// lookAtReach finds out what the role will reach, of how many buckets, and which
// Buckets it no longer reaches.
func lookAtReach(ctx context.Context, p *Plan, desired iam.Role) error {
	r := &Reach{Account: p.facts.Account.Value, Confined: p.Admission.Served}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		r.Reach, err = iam.RoleReach(groupCtx, desired, p.found.World.Roles, p.actual, r.Account)
		return err
	})
	var names []string
	group.Go(func() (err error) {
		names, r.Uncounted, err = bucketNames(groupCtx, p)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	r.count(names)
	p.Reach = r
	return lookAtChange(ctx, p, r, desired)
}

func (r *Reach) count(names []string) {
	r.Existing, r.Covered = len(names), len(those(names, r.Covers))
}

// bucketNames are those of the account; why they are not known, where you may not list
// them. The count is for the reader: no plan fails on it.
func bucketNames(ctx context.Context, p *Plan) (names []string, unknown string, err error) {
	names, err = p.found.World.BucketNames(ctx)
	if err == nil || ctx.Err() != nil {
		return names, "", ctx.Err()
	}
	var told *problem.Error
	if errors.As(err, &told) {
		return nil, told.What, nil
	}
	return nil, awserr.Redact(err.Error()), nil
}

// lookAtChange compares with the policy that the role has so far.
func lookAtChange(ctx context.Context, p *Plan, r *Reach, desired iam.Role) error {
	if !iam.Controller.Owns(desired.Name, p.actual, p.facts) {
		return nil
	}
	before := iam.PolicyReach(p.actual.Inline, r.Account)
	if len(before.Patterns) == 0 || slices.Equal(before.Patterns, []string{p.options.Role.BucketPattern}) {
		return nil
	}
	r.Before = awserr.Redact(strings.Join(before.Patterns, " and "))
	if r.Narrows = r.narrows(before.Patterns); !r.Narrows {
		return nil
	}
	objects, err := p.found.World.List(ctx, kinds.Bucket.GVR(), "", "")
	switch {
	case apierrors.IsNotFound(err): // the kind is not served
		return nil
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		r.Unseen = awserr.Redact(p.found.World.Conn.Translate(err).Error())
		return nil
	}
	r.Stopping = r.stopping(objects, before)
	return nil
}

// narrows goes by the texts of the patterns.
func (r *Reach) narrows(before []string) bool {
	return !r.Any && slices.ContainsFunc(before, func(was string) bool {
		return !slices.ContainsFunc(r.Patterns, func(pattern string) bool { return iam.CoversPattern(pattern, was) })
	})
}

// stopping are the Buckets that the role reaches now, and not any more.
func (r *Reach) stopping(objects []*unstructured.Unstructured, before iam.Reach) []string {
	var names []string
	for _, object := range objects {
		bucket := health.Text(object.Object, "spec", "name")
		if before.Covers(bucket) && !r.Covers(bucket) {
			names = append(names, object.GetNamespace()+"/"+object.GetName()+" ("+awserr.Redact(bucket)+")")
		}
	}
	slices.Sort(names)
	return names
}

// mayWiden looks at the roles of controllers that are used as they are, before project
// admins are allowed to create Buckets. Through a controller that reaches every bucket
// of the account a Bucket could change any of them where the admission policy fails, so
// that the ClusterRole is left out without the user's word. The policy is not: it is
// needed most where OLM gives the permission already.
func mayWiden(ctx context.Context, p *Plan) error {
	if p.Mode != Used || !widens(p) {
		return nil
	}
	controllers := slices.Concat(p.found.Mine(), p.found.Others())
	all := make([]*Reach, len(controllers))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, c := range controllers {
		group.Go(func() (err error) {
			all[i], err = reachOf(groupCtx, p, c)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	refused := false
	for i, one := range all {
		if (one.Any || one.Unknown != "") && !p.options.AllowAnyBucket {
			refused = true
			p.Admission.warn(notWidened(p, controllers[i], one))
		}
		if p.Reach == nil || one.rank() > p.Reach.rank() {
			p.Reach = one
		}
	}
	if p.Reach != nil {
		names, unknown, err := bucketNames(ctx, p)
		if err != nil {
			return err
		}
		p.Reach.Confined, p.Reach.Uncounted = p.Admission.Served, unknown
		p.Reach.count(names)
	}
	if !refused {
		return nil
	}
	p.set = slices.DeleteFunc(p.set, func(o *unstructured.Unstructured) bool { return o.GetKind() == "ClusterRole" })
	p.set = append(p.set, operator.ReadRights()...)
	var err error
	p.Objects, err = p.planObjects(ctx, nil)
	return err
}

// rank is how bad a reach is: of several the worst is reported.
func (r *Reach) rank() int {
	switch {
	case r.Any:
		return 2
	case r.Unknown != "":
		return 1
	}
	return 0
}

// widens reports whether the plan gives projects permissions to write Buckets that
// they do not have yet.
func widens(p *Plan) bool {
	return slices.ContainsFunc(p.Objects.All(), func(item *apply.Item) bool {
		changes := item.Action == apply.Create || item.Action == apply.Update
		return item.Ref.Kind == "ClusterRole" && changes && slices.ContainsFunc(p.set, func(o *unstructured.Unstructured) bool {
			return o.GetKind() == item.Ref.Kind && o.GetName() == item.Ref.Name && writesBuckets(o)
		})
	})
}

func writesBuckets(role *unstructured.Unstructured) bool {
	return slices.ContainsFunc(health.Maps(role.Object, "rules"), func(rule map[string]any) bool {
		verbs, _, _ := unstructured.NestedStringSlice(rule, "verbs")
		return slices.ContainsFunc(verbs, func(v string) bool { return v == "create" || v == "update" || v == "patch" || v == "*" })
	})
}

// reachOf is what the roles of a controller can configure. What cannot be seen is not
// known, and no error.
func reachOf(ctx context.Context, p *Plan, c ack.Controller) (*Reach, error) {
	r := &Reach{Account: p.facts.Account.Value}
	roles, err := live.RolesOf(ctx, p.found.World, c)
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case err != nil:
		r.Unknown = "which role it has cannot be seen: " + awserr.Redact(p.found.World.Conn.Translate(err).Error())
		return r, nil
	}
	r.Unknown = awserr.Redact(roles.Unsure)
	for _, arn := range roles.ARNs {
		role, err := render.ParseARNOf(arn, "iam", "role")
		if err != nil || role.Account != r.Account || role.Partition != p.facts.Partition.Value {
			r.Unknown = "the role that it names is not one of account " + r.Account
			continue
		}
		one, err := p.found.World.RoleReach(ctx, role.Name(), nil)
		if err != nil {
			return r, err
		}
		if one.By != "" {
			one.By += " on role " + role.Name()
		}
		r.Reach = r.Both(one)
	}
	return r, nil
}

// notWidened says why the ClusterRole is left out, and what follows from that.
func notWidened(p *Plan, c ack.Controller, r *Reach) (what, next string) {
	what = "the ACK S3 controller (" + c.String() + "), which is not managed by ostoy-s3, can configure " + r.Text(r.Account)
	if !r.Any {
		what = "it is not known which buckets the ACK S3 controller (" + c.String() + "), which is not managed by ostoy-s3, can configure: " + r.Unknown
	}
	what += "; so the ClusterRole " + operator.EditRole + " is left out, and admins and editors of projects "
	if c.Installer == ack.OLM {
		what += "can create Buckets only because " + everyVerb
	} else {
		what += "can read Buckets and not create them"
	}
	return what, strings.Join([]string{
		"limit its role to the buckets of projects, for example to arn:" + p.facts.Partition.Value + ":s3:::" + iam.OwnBucketPattern + ", then run the same command again",
		"or, if every bucket of the account may be reached: the same command with --allow-any-bucket",
		"or a cluster admin creates each Bucket: oc ostoy-s3 install -n PROJECT",
	}, "\n")
}
