package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// look makes install's plan for one namespace, of what was listed. It sends
// nothing. Where too little is known to say what install would make, the row says
// so.
func (o *overview) look(ctx context.Context, namespace string) (status.Seen, error) {
	inventory := apply.Inventory{}
	for _, live := range o.of(live.ConfigMaps(), namespace) {
		if live.GetName() == apply.InventoryName {
			inventory = apply.InventoryOf(live)
		}
	}
	one := *o.statusRun
	install := *o.install
	check := *o.checkup
	check.install, one.checkup = &install, &check
	one.facts.Namespace = render.Fact{Value: namespace, Source: "configmaps/" + apply.InventoryName}
	one.facts, one.install.request.Role = recorded(one.facts, o.request, inventory.Record)
	if role := &one.install.request.Role; role.Name == "" {
		role.Name = o.annotated(namespace, one.facts)
	}
	one.checkup.inventory = inventory
	unknown := one.imagine(ctx, o.renderer)
	found := one.found0()
	one.advise(&found) // lists do not show the tags of roles
	found.Pods = o.of(live.Pods(), namespace)
	found.PodsErr = o.unseen(live.Pods(), namespace)
	snapshot := o.snapshot
	if len(o.seen.Refused[namespace]) > 0 {
		snapshot = o.filed(namespace)
	}
	var err error
	found.Plan, err = one.lookPlan(ctx, snapshot, apply.Inventory{})
	return status.Seen{Found: found, Desired: one.desired, RoleErr: unknown}, err
}

// annotated is the name of the role that the service account of a project without an
// inventory has, if it is one that a role has without flags; "" otherwise.
func (o *overview) annotated(namespace string, facts render.Facts) string {
	for _, account := range o.of(live.ServiceAccounts(), namespace) {
		if account.GetName() == render.ServiceAccount {
			return usualNameIn(account.GetAnnotations()[live.RoleAnnotation], facts)
		}
	}
	return ""
}

// imagine renders what install would make, of the kinds that were listed.
func (s *statusRun) imagine(ctx context.Context, renderer *render.Renderer) (err error) {
	s.objects = nil
	if err := errors.Join(s.facts.Require(), s.facts.Validate()); err != nil {
		return err
	}
	if s.desired, err = iam.Desired(s.facts, s.install.request.Role); err != nil {
		return err
	}
	s.options.RoleARN = s.desired.ARN
	facts, options := s.facts, s.options // what is abandoned shares nothing with s
	objects, err := interrupt.Run(ctx, 0, func() ([]*unstructured.Unstructured, error) { return renderer.Objects(facts, options) })
	if err != nil {
		return err
	}
	s.objects = slices.DeleteFunc(objects, func(object *unstructured.Unstructured) bool {
		return !slices.ContainsFunc(listedKinds(), func(k listedKind) bool { return k.kind == object.GetKind() })
	})
	return nil
}

// rolesSeen are the roles of the account under our path.
type rolesSeen struct {
	listed map[string]iam.Listed
	err    error
}

// roleLooks is how many roles or buckets are asked about at the same time: IAM
// throttles the account as a whole.
const roleLooks = 6

// lookAtRoles asks for all roles in one list. A role is asked for by itself where
// no list has it: it is under a path of the user's, or the user may not list. What
// a role may do is in no list at all, so it is compared only where details were
// asked for.
func (o *overview) lookAtRoles(ctx context.Context, seen []status.Seen) {
	if o.noAWS == nil {
		o.roles.listed, o.roles.err = iam.List(ctx, o.world.Roles, render.RolePath)
	}
	var group errgroup.Group
	group.SetLimit(roleLooks)
	for i := range seen {
		one := &seen[i]
		group.Go(func() error {
			o.lookAtRole(ctx, one)
			return nil
		})
	}
	_ = group.Wait() // none gives an error
}

func (o *overview) lookAtRole(ctx context.Context, one *status.Seen) {
	account := o.checkup.found.Facts.Account.Value
	switch listed, ok := o.roles.listed[one.Desired.ARN]; {
	case one.RoleErr != nil:
		return
	case o.noAWS != nil:
		one.RoleErr = o.noAWS
		return
	case one.Facts.Account.Value != account:
		one.RoleErr = fmt.Errorf("the role is in account %s, the credentials are of %s", one.Facts.Account.Value, account)
		return
	case ok:
		one.Role = &listed
	case o.roles.err != nil && !awserr.Denied(o.roles.err):
		one.RoleErr = o.roles.err
		return
	case o.roles.err != nil || one.Desired.Path != render.RolePath:
		one.Role, one.RoleErr = iam.Glance(ctx, o.world.Roles, one.Desired.Name)
	}
	if o.request.detailed() && one.Role != nil {
		one.PolicyDrift, one.PolicyErr = iam.PolicyDrift(ctx, o.world.Roles, one.Desired)
	}
}

// count counts what is in the buckets, a request for each and no more: 1,000
// objects are many in a table.
func (o *overview) count(ctx context.Context, seen []status.Seen, rows []status.Row) {
	if o.noAWS != nil {
		return
	}
	var group errgroup.Group
	group.SetLimit(roleLooks)
	for i := range seen {
		group.Go(func() error {
			contents, more, err := bucket.CountSome(ctx, o.world.Buckets, bucket.TargetOf(seen[i].Facts), 1)
			if err == nil {
				rows[i].Objects, rows[i].More = &contents.Objects, more
			}
			return nil
		})
	}
	_ = group.Wait() // none gives an error
}

// notEverywhere explains that not even the projects of the user are known.
func (o *overview) notEverywhere(err error) error {
	if !apierrors.IsForbidden(err) {
		return o.conn.Translate(err)
	}
	return &problem.Error{
		Kind: problem.Failed,
		What: "you may not look for installs in the whole cluster",
		Why:  "you may list neither the inventories of all projects, nor your projects, nor what is in the current one",
		Next: "oc ostoy-s3 status -n PROJECT, for a project of yours",
		Err:  err,
	}
}
