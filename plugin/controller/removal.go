package controller

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// RemovalOptions are the overrides that the user gave.
type RemovalOptions struct {
	ForceOwner bool // also what Argo CD, Flux or Helm apply
	AdoptRole  bool // also a role with policies of others on it
	Now        func() time.Time
}

// RoleRemover is what IAM is asked and told. It has nothing of S3.
type RoleRemover interface {
	iam.Remover
	iam.Finder
}

// Removal is what is to become of the controller and all that was installed with it.
type Removal struct {
	Notes []string // what the reader should know before

	found     *Found
	options   RemovalOptions
	conn      *cluster.Conn
	applier   *apply.Applier
	looked    *apply.Removal
	buckets   []*unstructured.Unstructured
	operators []string // of the namespace, that ostoy-s3 does not manage
	lines     removal.Lines
	roles     RoleRemover
	role      *iam.Removal
	observe   func(health.State)
}

// PlanRemoval decides what becomes of each thing that the inventory names, and of what
// has a fixed name; of the role, PlanRole does. It only reads. It refuses, with a
// *problem.Error, to remove a controller that ostoy-s3 does not manage, to remove
// anything while there are Buckets, and to begin without all permissions that it takes.
func PlanRemoval(ctx context.Context, found *Found, options RemovalOptions) (*Removal, error) {
	r := &Removal{
		found: found, options: options, conn: found.World.Conn,
		applier: apply.New(found.World.Conn, apply.Options{
			Set: apply.Controller(), Namespace: found.Namespace,
			ForceOwner: options.ForceOwner, Shared: found.shared, Now: options.Now,
		}),
		observe: func(health.State) {},
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { r.buckets, err = listBuckets(groupCtx, r); return err })
	group.Go(func() (err error) { r.looked, err = r.lookAtObjects(groupCtx); return err })
	group.Go(func() error { return lookAtOperators(groupCtx, r) })
	if err := group.Wait(); err != nil {
		return nil, r.conn.Translate(err)
	}
	r.decideObjects()
	if r.looked.InventoryOurs {
		r.add(&removal.Line{Subject: removal.Inventory, Object: "ConfigMap " + apply.ControllerInventoryName, Fate: removal.Removed})
	}
	if err := decideNamespace(ctx, r); err != nil {
		return nil, err
	}
	if err := cmp.Or(refuseBuckets(r), refuseClaimed(r), refuseOthers(r)); err != nil {
		return nil, err
	}
	r.tellRest()
	return r, mayRemove(ctx, r)
}

// Lines are all things, in the order in which they go.
func (r *Removal) Lines() removal.Lines {
	slices.SortStableFunc(r.lines, func(a, b *removal.Line) int { return int(a.Subject) - int(b.Subject) })
	return r.lines
}

// Empty reports whether nothing is to be removed.
func (r *Removal) Empty() bool { return !r.lines.Removes() }

func (r *Removal) add(l *removal.Line) *removal.Line {
	r.lines = append(r.lines, l)
	return l
}

// going are the lines about a subject that are to be removed.
func (r *Removal) going(about removal.Subject) removal.Lines {
	return r.lines.Of(about).With(removal.Removed)
}

// objects are the objects that are to be removed, but for the versions of the operator:
// those that pick chooses.
func (r *Removal) objects(pick func(*removal.Line) bool) removal.Lines {
	return slices.DeleteFunc(r.going(removal.Object), func(l *removal.Line) bool { return ofKind(versionKind)(l) || !pick(l) })
}

// versions are the versions of the operator that are to be removed.
func (r *Removal) versions() removal.Lines {
	return those(r.going(removal.Object), ofKind(versionKind))
}

const versionKind = "ClusterServiceVersion"

func itemOf(object *unstructured.Unstructured) *apply.Item {
	return &apply.Item{Ref: apply.RefOf(object), Live: object}
}

func ofKind(kinds ...string) func(*removal.Line) bool {
	return func(l *removal.Line) bool { return l.Item != nil && slices.Contains(kinds, l.Item.Ref.Kind) }
}

func isRight(l *removal.Line) bool { return ofKind("ClusterRole", "ClusterRoleBinding")(l) }

func isPolicy(l *removal.Line) bool { return l.Item != nil && IsAdmission(l.Item.Ref) }

// isFurniture reports whether it is what the controller is given besides permissions.
func isFurniture(l *removal.Line) bool { return !isRight(l) && !isPolicy(l) }

func (r *Removal) recorded() bool { return r.found.Inventory.Found && !r.found.Inventory.Foreign }

// lookAtObjects looks at what the inventory names and at what has fixed names, which is
// there without an inventory as well: beside a controller that ostoy-s3 does not manage.
func (r *Removal) lookAtObjects(ctx context.Context) (*apply.Removal, error) {
	served, err := r.conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	var refs []apply.Ref
	if r.recorded() {
		refs = slices.Clone(r.found.Inventory.Objects)
	}
	add := func(group, version, kind string, names ...string) {
		for _, name := range names {
			refs = append(refs, apply.Ref{Group: group, Version: version, Kind: kind, Name: name})
		}
	}
	if r.found.OLM {
		add(olmGroup, "v1alpha1", "Subscription", operator.SubscriptionName)
		add(olmGroup, "v1", "OperatorGroup", operator.GroupName)
	}
	add("", "v1", "ConfigMap", operator.UserConfig)
	add("", "v1", "ServiceAccount", operator.ServiceAccount)
	add(rbacGroup, "v1", "ClusterRole", operator.EditRole, operator.ViewRole)
	if live.ServesAdmission(served) {
		add(operator.AdmissionGroup, "v1", "ValidatingAdmissionPolicy", operator.PolicyName)
		add(operator.AdmissionGroup, "v1", "ValidatingAdmissionPolicyBinding", operator.PolicyName)
	}
	return r.applier.PlanRemovalOf(ctx, refs, r.found.Inventory)
}

// decideObjects removes what is managed by ostoy-s3, but for an OperatorGroup that other
// operators need, and what OLM has installed for the Subscription.
func (r *Removal) decideObjects() {
	for _, item := range r.looked.Objects {
		p := r.add(&removal.Line{Object: item.Ref.String(), Fate: removal.Removed, Item: item})
		if item.Ref.Kind == "OperatorGroup" && len(r.operators) > 0 {
			p.Keep("other operators of the namespace need it: "+strings.Join(r.operators, ", "), "")
		}
	}
	for _, item := range r.looked.Kept {
		if slices.Contains(r.found.Inventory.Objects, item.Ref) && !item.Ref.IsDefinition() {
			r.add(&removal.Line{Object: item.Ref.String(), Fate: removal.Kept, Why: item.Why, Item: item})
		}
	}
	for _, item := range r.looked.Gone {
		r.Notes = append(r.Notes, item.Ref.String()+" is forgotten: "+item.Why)
	}
	for _, version := range r.found.Versions {
		if r.found.versionOurs(version.GetName()) {
			r.add(&removal.Line{Object: versionKind + " " + version.GetName(), Fate: removal.Removed, Item: itemOf(version)})
		}
	}
}

// tellRest has the commands for what stays, for you to run.
func (r *Removal) tellRest() {
	if !endsController(r) {
		return
	}
	if r.found.Definition != nil && len(staying(r)) == 0 {
		r.add(&removal.Line{
			Object: "CustomResourceDefinition " + Definition, Fate: removal.Kept, Item: itemOf(r.found.Definition),
			Why:  "deleting it deletes all Buckets that exist then",
			Next: advice.Command("oc delete customresourcedefinitions.apiextensions.k8s.io", Definition),
		})
	}
	r.tellRoles()
}

// tellRoles has the command for the Roles that OLM keeps, if the namespace stays.
func (r *Removal) tellRoles() {
	if len(r.going(removal.Project)) > 0 || !versionsOurs(r) {
		return
	}
	r.add(&removal.Line{
		Subject: removal.Remark, Object: "Roles " + strings.Join(bundleRoles(), " and "), Fate: removal.Kept, Why: "OLM keeps these Roles of the operator",
		Next: advice.Command("oc delete roles.rbac.authorization.k8s.io", slices.Concat(bundleRoles(), []string{"--ignore-not-found", "-n", r.found.Namespace})...),
	})
}
