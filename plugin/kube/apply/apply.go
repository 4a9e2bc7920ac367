// Package apply brings the objects of one namespace, and some that are in none,
// to the state they are rendered in: by server-side apply, wave after wave, with
// an inventory of what was applied, so that what a later run leaves out can be
// removed. Which kinds there are, and where the inventory is, is a Set: App for
// the app, Controller for what brings the ACK S3 controller. Each leaves what the
// other has on record alone.
//
// Everything is decided before anything is written: Applier.Plan asks the API
// server what each apply would do (dryRun=All) and whose the objects are, and
// refuses there. The Plan is then printed, or executed: WriteInventory,
// ApplyWave for each wave, Prune. A plan without changes writes nothing.
//
// Ownership. An object is ours if its managedFields name
// our field manager with operation Apply. What is not ours is never changed
// and never deleted, whatever the inventory says. There is one gentle case: an
// object that is not ours but already holds, field for field, what we would
// apply (somebody ran `oc ostoy-s3 render | kubectl apply`): applying then
// changes nothing in it but adds our name beside theirs, so it is joined. If
// its content differs, or Argo CD, Flux or Helm manage it, it is refused. What those manage
// is refused also where it is ours. Options.ForceOwner overrides that, and what it applies
// is taken over (takeOver): everything that names the engine on it is removed.
//
// Objects that somebody made by hand, as Options.Recognise knows them, are adopted
// with Options.Adopt: they are handed over first (handOver), and then applied.
//
// On objects that are ours:
//   - fields that somebody changed by hand (an Update without subresource:
//     kubectl edit, the web console) are put back;
//   - fields that another applier owns (operation Apply, or a GitOps
//     controller or Helm by name) or that come through a subresource (an
//     autoscaler's scale) are a conflict, and the way out is named;
//   - fields that somebody added beside ours stay as they are, unless the API
//     server then accepts nothing of ours: those that people added go (clash.go).
//
// What OLM writes by design as well, and wipes our name from, is Options.Shared:
// it counts as ours.
//
// It never touches another namespace, never prunes a Bucket, a
// PersistentVolumeClaim or a CustomResourceDefinition, never shows a value of a Secret, and has no opinion
// about whether what it applied becomes ready: that is package wait.
package apply

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Manager is our field manager: what makes an object ours.
const Manager = render.ManagedBy

// Resources gives the client for a kind in a namespace. A kind that the
// server does not serve is an error for which meta.IsNoMatchError holds.
type Resources interface {
	Resource(ctx context.Context, gvk schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error)
}

// Options of an Applier.
type Options struct {
	// Namespace is the only one that is read or written.
	Namespace string
	// Set is which kinds of objects there are, and where the inventory is. The zero
	// value is App.
	Set Set
	// Shared reports whether an object is one that another program writes as well,
	// by design, so that it may be applied and removed although it no longer names
	// us: OLM before 0.33 replaces the ServiceAccount of an operator whole, and our
	// name in its managedFields with it (step_ensurer.go). Nil: none is.
	Shared func(*unstructured.Unstructured) bool
	// ForceConflicts takes over fields and objects of others, but for those that
	// Argo CD, Flux or Helm bring.
	ForceConflicts bool
	// ForceOwner applies and deletes also what Argo CD, Flux or Helm manage. What is
	// applied is taken over: their field ownership, labels and annotations go.
	ForceOwner bool
	// Recognise says why an object that is not ours is none that somebody made by
	// hand, as a clause; "" if it is one, which Adopt takes over together with the
	// fields that people's tools have of it. Nil: no object is.
	Recognise func(*unstructured.Unstructured) string
	// Adopt takes over what Recognise knows.
	Adopt bool
	// Fresh says that the namespace is new or not there yet: everything in it is a
	// create, and planning sends no request for it. What is in no namespace may be
	// there all the same, and is looked at.
	Fresh bool
	// Coming are kinds that the cluster will serve by the time of applying: until
	// then there is no object of them.
	Coming []schema.GroupKind
	// How planning finds out what would change.
	How How
	// Look says that the plan is only for telling. What keeps an object from being
	// planned is then noted in its Item (Err) and does not end the plan.
	Look bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// How is how planning finds out what would change.
type How int

// The ways.
const (
	DryRun     How = iota // the server says it of each object that exists
	Guess                 // planning only reads, and it is worked out here: --dry-run=client
	TryCreates            // the server judges what is new as well, the inventory included: one request more for each
)

// Applier plans and applies in one namespace, and what its Set has outside of any.
// It is safe for concurrent use.
type Applier struct {
	resources Resources
	opts      Options
	sleep     func(context.Context, time.Duration) error
}

// New makes an Applier; it sends nothing.
func New(resources Resources, opts Options) *Applier {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Set = opts.Set.orApp()
	return &Applier{resources: resources, opts: opts, sleep: interrupt.Sleep}
}

// Action is what a plan does with one object.
type Action string

// The actions of a plan.
const (
	Create    Action = "create"
	Update    Action = "update"
	Unchanged Action = "unchanged"
	Delete    Action = "delete" // was applied earlier, left out now
	Keep      Action = "keep"   // left out now, but data or not ours: stays
	Gone      Action = "gone"   // its kind is no longer served: dropped from the inventory
	// Released is for Release alone: no longer ours, and otherwise as it was.
	Released Action = "release"
	// Unknown is for Options.Look: the object could not be looked at, or install
	// would refuse to go on because of it. Item.Err says why.
	Unknown Action = "unknown"
)

// TakenAsItIs is the Why of an object that somebody else applied and that is
// already as it is to be: applying it only adds our name.
const TakenAsItIs = "already as it is to be, and taken into the inventory"

// TakenOver begins the Why of an object that Options.ForceOwner takes over.
const TakenOver = "taken over"

// FieldChange is one field that an update changes. An absent value is nil;
// others are decoded JSON. A value of a Secret is the string "(secret)".
type FieldChange struct {
	Path   string `json:"path"` // spec.publicAccessBlock.blockPublicPolicy, spec.template.spec.containers[ostoy-frontend].image
	Before any    `json:"before"`
	After  any    `json:"after"`
	// Manager last set the field, by managedFields, if it was not us; empty if
	// nobody is on record, which is so for a field that was removed by hand.
	Manager string `json:"manager,omitempty"`
}

// Item is what happens to one object.
type Item struct {
	Ref    Ref    `json:"ref"`
	Wave   int    `json:"wave"`
	Action Action `json:"action"`
	// Changes of an update, in the order of their paths.
	Changes []FieldChange `json:"changes,omitempty"`
	// Owned are the paths that only change hands: their values stay, but we
	// begin or cease to own them. An update may consist of these alone.
	Owned []string `json:"owned,omitempty"`
	// Why says in words what Action alone does not: why an object is kept, or
	// that its changes could not be foretold.
	Why string `json:"why,omitempty"`
	// Live is the object as it was when planned; nil if it is not there.
	Live *unstructured.Unstructured `json:"-"`
	// Would is the object as applying it would leave it: by the server's own dry
	// run where one was asked for, else as worked out here; for a new object
	// without one, what is applied. Nil for what is deleted, and where Err keeps it
	// from being known. It shares parts with Live: read it, and no more.
	Would *unstructured.Unstructured `json:"-"`
	// Err is why the Action is Unknown, in three parts.
	Err error `json:"-"`

	object  *unstructured.Unstructured // what is applied
	manner  manner
	deleted bool // by this plan
}

// manner is how an object is applied, and what changes in its managedFields before.
type manner struct {
	force bool // fields of others are taken
	adopt bool // what people's tools own becomes ours
	take  bool // everything that names an engine goes
	blind bool // a webhook of the cluster that does not support dry runs kept it from being judged
	marks int  // of the changes, the labels and annotations of the engine
	// clashes are fields that people set, and beside which nothing can be applied.
	clashes []string
	// carried are fields of the spec that become Adopter's.
	carried map[string]any
}

// Adopts reports whether an object that was made by hand becomes ours.
func (it *Item) Adopts() bool { return it.manner.adopt }

// Carries reports whether the plan creates a Bucket with fields that it had in S3.
func (it *Item) Carries() bool { return len(it.manner.carried) > 0 }

// Event is one object that was dealt with.
type Event struct {
	Ref    Ref
	Action Action
	// Live is the object as the server answered; nil after a delete.
	Live *unstructured.Unstructured
}
