package status

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// installs compares each install with what install would make, by what was listed. It
// sends nothing. Where too little is known to say what install would make, RoleErr says so.
func (o overview) installs(ctx context.Context, s *session.Session, r Request, values render.Options) ([]Seen, error) {
	chart, err := render.New()
	if err != nil {
		return nil, err
	}
	namespaces, lists := o.namespaces(), o.snapshot("")
	all := make([]Seen, len(namespaces))
	for n, namespace := range namespaces {
		e, unknown := o.expect(ctx, r, namespace, values, listedOf(chart))
		found := e.advise(e.found(s)) // lists do not show the tags of roles
		found.Pods, found.PodsErr = o.of(kinds.Pod.GVR(), namespace), o.unseen(kinds.Pod.GVR(), namespace)
		objects := lists
		if len(o.lists.Refused[namespace]) > 0 {
			objects = o.snapshot(namespace)
		}
		if found.Plan, err = e.plan(ctx, objects, apply.Inventory{}, s); err != nil {
			return nil, err
		}
		all[n] = Seen{Found: found, Desired: e.role, RoleErr: unknown}
	}
	return all, nil
}

// expect is what the install in a namespace is compared with, as far as it is known.
func (o overview) expect(ctx context.Context, r Request, namespace string, values render.Options, of renderer) (expected, error) {
	e := expected{request: r, detected: o.facts}
	e.detected.Namespace = render.Fact{Value: namespace, Source: project.OnRecord}
	if inventory := o.named(kinds.ConfigMap.GVR(), namespace, apply.InventoryName); inventory != nil {
		e.inventory = apply.InventoryOf(inventory)
	}
	var role iam.RoleOptions
	e.facts, role = recorded(e.detected, r, e.inventory.Record)
	// Without an inventory the service account may name the role, if it is one that a role
	// has without flags.
	if account := o.named(kinds.ServiceAccount.GVR(), namespace, render.ServiceAccount); role.Name == "" && account != nil {
		role.Name = iam.UsualNameIn(account.GetAnnotations()[live.RoleAnnotation], e.facts)
	}
	if err := errors.Join(e.facts.Require(), e.facts.Validate()); err != nil {
		return e, err
	}
	return e.rendered(ctx, role, values, of)
}

// listedOf renders what install would make, of the kinds that were listed.
func listedOf(chart *render.Renderer) renderer {
	return func(ctx context.Context, facts render.Facts, values render.Options) ([]*unstructured.Unstructured, error) {
		objects, err := interrupt.Run(ctx, 0, func() ([]*unstructured.Unstructured, error) { return chart.Objects(facts, values) })
		return slices.DeleteFunc(objects, func(object *unstructured.Unstructured) bool {
			return !slices.ContainsFunc(listedKinds(), func(k listedKind) bool { return k.kind == object.GetKind() })
		}), err
	}
}

// snapshot are the lists as a plan reads them, for a namespace in which some may be
// refused; "" is any other.
func (o overview) snapshot(namespace string) *apply.Snapshot {
	snapshot := &apply.Snapshot{}
	for _, k := range listedKinds() {
		if k.kind != "" {
			snapshot.Add(schema.GroupKind{Group: k.Resource.Group, Kind: k.kind}, o.lists.Objects[k.Resource], o.unseen(k.Resource, namespace))
		}
	}
	return snapshot
}

// atOnce is how many roles or buckets are asked about at the same time: IAM
// throttles the account as a whole.
const atOnce = 6

// each calls ask for each of n, several at the same time.
func each(n int, ask func(int)) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range n {
		group.Go(func() error { ask(i); return nil })
	}
	_ = group.Wait() // none gives an error
}

// lookAtRoles asks for all roles in one list, whose error it gives. A role is asked for by
// itself where no list has it: it is under a path of the user's, or the user may not list.
// What a role may do is in no list at all, so it is compared only where details were asked
// for.
func (o overview) lookAtRoles(ctx context.Context, seen []Seen, detailed bool) error {
	var roles map[string]iam.Listed
	var unlisted error
	if o.from.noAWS == nil {
		roles, unlisted = iam.List(ctx, o.from.world.Roles, render.RolePath)
	}
	each(len(seen), func(i int) {
		one := &seen[i]
		if one.RoleErr != nil {
			return
		}
		if one.Role, one.RoleErr = o.lookAtRole(ctx, *one, roles, unlisted); detailed && one.Role != nil {
			one.PolicyDrift, one.PolicyErr = iam.PolicyDrift(ctx, o.from.world.Roles, one.Desired)
		}
	})
	return unlisted
}

// lookAtRole is the role of an install, nil if it is not there.
func (o overview) lookAtRole(ctx context.Context, one Seen, roles map[string]iam.Listed, unlisted error) (*iam.Listed, error) {
	account, mine := one.Found.Facts.Account.Value, o.facts.Account.Value
	switch listed, is := roles[one.Desired.ARN]; {
	case o.from.noAWS != nil:
		return nil, o.from.noAWS
	case account != mine:
		return nil, fmt.Errorf("the role is in account %s, the credentials are of %s", account, mine)
	case is:
		return &listed, nil
	case unlisted != nil && !awserr.Denied(unlisted):
		return nil, unlisted
	case unlisted != nil || one.Desired.Path != render.RolePath:
		return iam.Glance(ctx, o.from.world.Roles, one.Desired.Name)
	}
	return nil, nil
}

// count counts what is in the buckets, a request for each and no more: 1,000
// objects are many in a table.
func (o overview) count(ctx context.Context, seen []Seen, rows []Row) {
	if o.from.noAWS != nil {
		return
	}
	each(len(seen), func(i int) {
		contents, more, err := bucket.CountSome(ctx, o.from.world.Buckets, bucket.TargetOf(seen[i].Found.Facts), 1)
		if err == nil {
			rows[i].Objects, rows[i].More = &contents.Objects, more
		}
	})
}
