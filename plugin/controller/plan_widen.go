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
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// mayWiden looks at the roles of controllers that are used as they are, before project
// admins are allowed to create Buckets: through a controller that reaches every bucket
// of the account each of them could change the policy of any.
func (p *Plan) mayWiden(ctx context.Context) error {
	if p.Mode != Used || !p.widens() {
		return nil
	}
	all := make([]*Reach, len(p.found.Deployments))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, c := range p.found.Deployments {
		group.Go(func() (err error) {
			all[i], err = p.reachOf(groupCtx, c)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	confined, err := p.confines(ctx)
	if err != nil {
		return err
	}
	for i, one := range all {
		if (one.Any || one.Unknown != "") && !p.options.AllowAnyBucket {
			return p.refuseWidening(p.found.Deployments[i], one)
		}
		if p.Reach == nil || one.worse(p.Reach) {
			p.Reach = one
		}
	}
	names, unknown, err := p.bucketNames(ctx)
	if p.Reach != nil {
		p.Reach.Confined, p.Reach.Uncounted = confined, unknown
		p.Reach.count(names)
	}
	return err
}

// worse reports whether a reader has to hear of this reach rather than of another.
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

func (p *Plan) refuseWidening(c ack.Controller, r *Reach) error {
	what := "the ACK S3 controller (" + c.String() + "), which is not managed by ostoy-s3, can configure " + r.Text(r.Account)
	if !r.Any {
		what = "it is not known which buckets the ACK S3 controller (" + c.String() + "), which is not managed by ostoy-s3, can configure: " + r.Unknown
	}
	return &problem.Error{
		Kind: problem.Refused, What: what,
		Why: "controller install allows admins and editors of every project to create Buckets; the controller acts on a Bucket with its own role, " +
			"which decides who reads the objects of each bucket that it reaches",
		Next: strings.Join([]string{
			"limit its role to the buckets of projects, for example to arn:" + p.facts.Partition.Value + ":s3:::" + iam.OwnBucketPattern + ", then run the same command again",
			"or, if every bucket of the account may be reached: the same command with --allow-any-bucket",
			"nothing is needed to install apps with a user who is already allowed to create Buckets",
		}, "\n"),
		More: "docs/controller.md",
	}
}
