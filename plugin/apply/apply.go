package apply

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

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
	// name in its managedFields with it (FACTS 1.6, 10.5). Nil: none is.
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
	// Guess says that planning only reads: what would change is worked out here
	// instead of by the server. It is how --dry-run=client plans.
	Guess bool
	// Look says that the plan is only for telling. What keeps an object from being
	// planned is then noted in its Item (Err) and does not end the plan.
	Look bool
	// TryCreates has the server judge what is new as well, one request more for
	// each object. It is how --dry-run=server plans.
	TryCreates bool
	// Now is the clock for durations; nil is time.Now.
	Now func() time.Time
}

// Applier plans and applies in one namespace, and what its Set has outside of any.
// It is safe for concurrent use.
type Applier struct {
	resources Resources
	opts      Options
	sleep     sleeper
}

// New makes an Applier; it sends nothing.
func New(resources Resources, opts Options) *Applier {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Set = opts.Set.orApp()
	return &Applier{resources: resources, opts: opts, sleep: sleepContext}
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

	object *unstructured.Unstructured // what is applied
	force  bool
	before preparation

	deleted bool // by this plan
}

// preparation is what changes in an object's managedFields before it is applied.
type preparation struct {
	adopt bool // what people's tools own becomes ours
	take  bool // everything that names an engine goes
	marks int  // of the changes, the labels and annotations of the engine
}

// Adopts reports whether an object that was made by hand becomes ours.
func (it *Item) Adopts() bool { return it.before.adopt }

// Event is one object that was dealt with.
type Event struct {
	Ref    Ref
	Action Action
	Took   time.Duration
	// Live is the object as the server answered; nil after a delete.
	Live *unstructured.Unstructured
}
