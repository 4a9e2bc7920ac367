package controller

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// mayWiden looks at the roles of controllers that are used as they are, before project
// admins are allowed to create Buckets. Through a controller that reaches every bucket
// of the account a Bucket could change any of them where the admission policy fails, so
// that the ClusterRole is left out without the user's word. The policy is not: it is
// needed most where OLM gives the permission already.
func (p *Plan) mayWiden(ctx context.Context) error {
	if p.Mode != Used || !p.widens() {
		return nil
	}
	controllers := slices.Concat(p.found.Mine(), p.found.Others())
	all := make([]*Reach, len(controllers))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, c := range controllers {
		group.Go(func() (err error) {
			all[i], err = p.reachOf(groupCtx, c)
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
			p.Admission.warn(p.notWidened(controllers[i], one))
		}
		if p.Reach == nil || one.worse(p.Reach) {
			p.Reach = one
		}
	}
	if p.Reach != nil {
		names, unknown, err := p.bucketNames(ctx)
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

// worse reports whether this reach is the one to report, rather than another.
func (r *Reach) worse(other *Reach) bool {
	rank := func(r *Reach) int {
		switch {
		case r.Any:
			return 2
		case r.Unknown != "":
			return 1
		}
		return 0
	}
	return rank(r) > rank(other)
}

// widens reports whether the plan gives projects permissions to write Buckets that
// they do not have yet.
func (p *Plan) widens() bool {
	for _, item := range p.Objects.All() {
		changes := item.Action == apply.Create || item.Action == apply.Update
		if item.Ref.Kind == "ClusterRole" && changes && slices.ContainsFunc(p.set, func(o *unstructured.Unstructured) bool {
			return o.GetKind() == item.Ref.Kind && o.GetName() == item.Ref.Name && writesBuckets(o)
		}) {
			return true
		}
	}
	return false
}

func writesBuckets(role *unstructured.Unstructured) bool {
	for _, rule := range health.Maps(role.Object, "rules") {
		verbs, _, _ := unstructured.NestedStringSlice(rule, "verbs")
		if slices.ContainsFunc(verbs, func(v string) bool { return v == "create" || v == "update" || v == "patch" || v == "*" }) {
			return true
		}
	}
	return false
}

// reachOf is what the roles of a controller can configure. What cannot be seen is not
// known, and no error.
func (p *Plan) reachOf(ctx context.Context, c ack.Controller) (*Reach, error) {
	r := &Reach{Account: p.facts.Account.Value}
	roles, err := p.found.World.ControllerRoles(ctx, c)
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
func (p *Plan) notWidened(c ack.Controller, r *Reach) (what, next string) {
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
