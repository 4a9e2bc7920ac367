package controller

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// RemovalOptions are what leave was given.
type RemovalOptions struct {
	Force            bool // let go of the Buckets that are left
	DeleteDefinition bool // also the definition of ACK's Bucket
	ForceOwner       bool // also what Argo CD, Flux or Helm bring
	AdoptRole        bool // also a role with policies of others on it
	Now              func() time.Time
}

// Fate is what becomes of one thing.
type Fate string

// The fates.
const (
	Removed Fate = "removed"
	Kept    Fate = "kept" // on purpose
	Left    Fate = "left" // could not be removed: for the user to do
)

// Subject is the kind of thing that a Part is about. They go in this order.
type Subject int

// The subjects.
const (
	TheBucket    Subject = iota // an object of the cluster, not the S3 bucket
	TheObject                   // one that install applied
	TheVersion                  // a ClusterServiceVersion
	TheLeftover                 // a Role that OLM leaves when that is deleted
	TheRole                     // of IAM
	TheType                     // the definition of ACK's Bucket
	TheInventory                //
	TheNamespace                //
	TheRemark                   // what stays, for the reader to know
)

// Part is one thing and its fate: what will become of it before Execute, what
// did after it.
type Part struct {
	Subject Subject
	Object  string    // "Bucket demo/demo-bucket", "role ack-s3-controller-9b1e22f04c7d"
	Ref     apply.Ref // of an object, the zero value for all else
	Fate    Fate
	Why     string
	Next    string // what does what was not done
	Done    bool   // really removed

	item *apply.Item
	uid  types.UID
}

func (p *Part) keep(why, next string)  { p.Fate, p.Why, p.Next = Kept, why, next }
func (p *Part) leave(why, next string) { p.Fate, p.Why, p.Next = Left, why, next }

// RoleRemover is what IAM is asked and told. It has nothing of S3.
type RoleRemover interface {
	iam.Remover
	iam.Finder
}

// Removal is what is to become of the controller and all that came with it.
type Removal struct {
	Notes []string // what the reader should know before

	found   *Found
	options RemovalOptions
	conn    *cluster.Conn
	applier *apply.Applier
	objects *apply.Removal
	buckets []Bucket
	parts   []*Part
	// Of all operators, in the namespace.
	subscriptions, versions []*unstructured.Unstructured
	roles                   RoleRemover
	role                    *iam.Removal
	observe                 func(health.State)
}

// PlanRemoval decides what becomes of each thing that is there; of the role,
// PlanRole does. It only reads. It refuses, with a *problem.Error, to remove a
// controller of somebody else, to remove ours while there are Buckets, unless
// RemovalOptions.Force, and to begin without all the rights that it takes.
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
	group.Go(func() (err error) { r.buckets, err = r.listBuckets(groupCtx); return err })
	group.Go(func() (err error) { r.objects, err = r.lookAtObjects(groupCtx); return err })
	group.Go(func() error { return r.lookAtOperators(groupCtx) })
	if err := group.Wait(); err != nil {
		return nil, r.conn.Translate(err)
	}
	r.decideObjects()
	r.keepClaimedRole()
	r.decideVersions()
	if err := r.decideLeftovers(ctx); err != nil {
		return nil, r.conn.Translate(err)
	}
	if err := r.decideBuckets(); err != nil {
		return nil, err
	}
	r.decideDefinition(found.Definition)
	r.decideInventory()
	r.noteUnchecked()
	if err := r.decideNamespace(ctx); err != nil {
		return nil, err
	}
	if err := r.refuseOthers(); err != nil {
		return nil, err
	}
	return r, r.mayRemove(ctx)
}

// Parts are all things, in the order in which they go.
func (r *Removal) Parts() []*Part {
	slices.SortStableFunc(r.parts, func(a, b *Part) int { return int(a.Subject) - int(b.Subject) })
	return r.parts
}

// Empty reports whether nothing is to be removed.
func (r *Removal) Empty() bool { return !r.has(Removed) }

func (r *Removal) has(fate Fate) bool {
	return slices.ContainsFunc(r.parts, func(p *Part) bool { return p.Fate == fate })
}

func (r *Removal) add(p *Part) *Part {
	r.parts = append(r.parts, p)
	return p
}

// going are the parts about a subject that are to be removed and that pick, if
// not nil, chooses.
func (r *Removal) going(about Subject, pick func(*Part) bool) []*Part {
	var some []*Part
	for _, p := range r.parts {
		if p.Subject == about && p.Fate == Removed && (pick == nil || pick(p)) {
			some = append(some, p)
		}
	}
	return some
}

func ofKind(kinds ...string) func(*Part) bool {
	return func(p *Part) bool { return slices.Contains(kinds, p.Ref.Kind) }
}

// lookAtObjects looks at what the inventory lists and at what has fixed names.
// Where there is no inventory, everything that names our field manager is looked
// for: what a chart's objects are called is known to nobody else.
func (r *Removal) lookAtObjects(ctx context.Context) (*apply.Removal, error) {
	inventory := r.found.Inventory
	if !inventory.Found || inventory.Foreign {
		return r.applier.PlanRemoval(ctx, inventory)
	}
	refs := slices.Clone(inventory.Objects)
	byOLM := []apply.Ref{
		{Group: olmGroup, Version: "v1alpha1", Kind: "Subscription", Name: operator.SubscriptionName},
		{Group: olmGroup, Version: "v1", Kind: "OperatorGroup", Name: operator.GroupName},
	}
	if r.found.OLM {
		refs = append(refs, byOLM...)
	}
	refs = append(refs,
		apply.Ref{Version: "v1", Kind: "ConfigMap", Name: operator.UserConfig},
		apply.Ref{Version: "v1", Kind: "ServiceAccount", Name: operator.ServiceAccount})
	for _, name := range []string{operator.EditRole, operator.ViewRole} {
		refs = append(refs, apply.Ref{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole", Name: name})
	}
	policies, err := r.policyRefs(ctx)
	if err != nil {
		return nil, err
	}
	refs = append(refs, policies...)
	for _, c := range r.found.Mine() {
		if c.Installer != ack.OLM {
			refs = append(refs, apply.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: c.Name})
		}
	}
	return r.applier.PlanRemovalOf(ctx, refs, inventory)
}

// lookAtOperators is about what Look has listed and left out.
func (r *Removal) lookAtOperators(ctx context.Context) error {
	if !r.found.OLM {
		return nil
	}
	all, err := r.found.World.List(ctx, olm.Subscriptions(), "", "")
	if err != nil {
		return err
	}
	r.subscriptions = slices.DeleteFunc(slices.Clone(all), func(s *unstructured.Unstructured) bool { return s.GetNamespace() != r.found.Namespace })
	r.versions, err = r.found.World.List(ctx, olm.ServiceVersions(), r.found.Namespace, "")
	return err
}

// decideObjects lets go what is ours, but for what others need: an OperatorGroup, and
// account and settings that an operator not managed by ostoy-s3 works with.
func (r *Removal) decideObjects() {
	for _, item := range r.objects.Objects {
		if ofTheApp(item.Live) {
			continue
		}
		p := r.add(&Part{Subject: TheObject, Object: item.Ref.String(), Ref: item.Ref, Fate: Removed, item: item, uid: item.Live.GetUID()})
		if why := r.neededBy(item.Live); why != "" {
			p.keep(why, "")
		}
	}
	for _, item := range slices.Concat(r.objects.Kept, r.objects.Definitions) {
		switch {
		case item.Ref.IsDefinition() && item.Ref.Name == Definition: // decideDefinition
		case item.Ref.IsDefinition():
			r.add(&Part{Subject: TheObject, Object: item.Ref.String(), Ref: item.Ref, Fate: Kept, Why: "the controllers of other AWS services use it, too"})
		case slices.Contains(r.found.Inventory.Objects, item.Ref):
			r.add(&Part{Subject: TheObject, Object: item.Ref.String(), Ref: item.Ref, Fate: Kept, Why: item.Why})
		}
	}
	for _, item := range r.objects.Gone {
		r.Notes = append(r.Notes, item.Ref.String()+" is forgotten: "+item.Why)
	}
}

// ofTheApp reports whether an object is of an install of OSToy that somebody put
// into the controller's namespace.
func ofTheApp(object *unstructured.Unstructured) bool {
	return object.GetLabels()["app.kubernetes.io/part-of"] == "ostoy"
}

// decideVersions lets go what OLM has installed for our Subscription.
func (r *Removal) decideVersions() {
	for _, version := range r.found.Versions {
		if !r.versionOurs(version.GetName()) {
			continue
		}
		r.add(&Part{
			Subject: TheVersion, Object: "ClusterServiceVersion " + version.GetName(), Ref: apply.RefOf(version),
			Fate: Removed, uid: version.GetUID(),
		})
	}
}
