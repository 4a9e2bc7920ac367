package apply

import (
	"context"
	"errors"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Set is which kinds of objects an Applier deals with, the name of the ConfigMap
// that holds its inventory, and what hints tell a reader to type. Those of this
// tool are App and Controller.
type Set struct {
	Inventory string // "ostoy-s3"
	Kinds     []Kind // an inventory can name no others, however somebody edited it
	Render    string // what prints these objects: "oc ostoy-s3 render"
	Install   string // what applies them: "oc ostoy-s3 install"
	Values    string // the flags of Install that take values: "--set or -f"; "": it has none
	Upgrade   string // what Helm's users type instead: "helm upgrade ostoy-s3 ..."
	Beside    string // what an uninstall removes besides the objects: "the role and the bucket"
	// Extra are labels and annotations of the inventory: those that the user's values add
	// to all objects.
	Extra render.Extra
}

// Kind is a kind of objects, in the version by which we speak of it.
type Kind struct {
	schema.GroupVersionKind
	Cluster bool // it is in no namespace
	Data    bool // deleting one destroys data: never pruned
}

// App is what the chart of the app has.
func App() Set {
	return Set{
		Inventory: InventoryName,
		Kinds: []Kind{
			within(kinds.ServiceAccount), within(kinds.ConfigMap), within(kinds.Secret), within(kinds.Service),
			dataOfKind(within(kinds.PersistentVolumeClaim)),
			within(kinds.Deployment), within(kinds.Route), within(kinds.Ingress),
			within(kinds.NetworkPolicy), within(kinds.RoleBinding),
			dataOfKind(within(kinds.Bucket)),
		},
		Render:  "oc ostoy-s3 render",
		Install: "oc ostoy-s3 install",
		Values:  "--set or -f",
		Upgrade: "helm upgrade ostoy-s3 ... -f <(oc ostoy-s3 values)",
		Beside:  "the role and the bucket",
	}
}

// Controller is what installs the ACK S3 controller: the objects for OLM, and those of
// ACK's chart, which earlier versions applied and an inventory may still name. Deleting a
// definition deletes every object of its kind, so definitions count as data.
func Controller() Set {
	return Set{
		Inventory: ControllerInventoryName,
		Kinds: []Kind{
			within(kinds.ServiceAccount), within(kinds.ConfigMap), within(kinds.Service), within(kinds.Deployment),
			within(kinds.Role), within(kinds.RoleBinding), without(kinds.ClusterRole), without(kinds.ClusterRoleBinding),
			dataOfKind(without(kinds.CustomResourceDefinition)),
			without(kinds.ValidatingAdmissionPolicy), without(kinds.ValidatingAdmissionPolicyBinding),
			within(kinds.OperatorGroup), within(kinds.Subscription),
		},
		Render:  "oc ostoy-s3 controller render",
		Install: "oc ostoy-s3 controller install",
		Upgrade: "helm upgrade",
		Beside:  "the role",
	}
}

const olmGroup = "operators.coreos.com"

func within(k kinds.Kind) Kind { return Kind{GroupVersionKind: k.GVK()} }

func without(k kinds.Kind) Kind { return Kind{GroupVersionKind: k.GVK(), Cluster: true} }

func dataOfKind(k Kind) Kind {
	k.Data = true
	return k
}

// orApp is the set; where it is the zero value, App.
func (s Set) orApp() Set {
	if len(s.Kinds) == 0 {
		return App()
	}
	return s
}

// others are the sets of this tool that may have objects beside those of s.
func (s Set) others() []Set {
	return slices.DeleteFunc([]Set{App(), Controller()}, func(o Set) bool { return o.Inventory == s.Inventory })
}

// kind is what the set says of a kind; the zero Kind where it has no such.
func (s Set) kind(gk schema.GroupKind) Kind {
	if n := slices.IndexFunc(s.Kinds, func(k Kind) bool { return k.GroupKind() == gk }); n >= 0 {
		return s.Kinds[n]
	}
	return Kind{}
}

// Cluster reports whether an object of the set is in no namespace.
func (s Set) Cluster(ref Ref) bool { return s.kind(ref.GVK().GroupKind()).Cluster }

// data reports whether deleting an object of the set destroys data.
func (s Set) data(ref Ref) bool { return s.kind(ref.GVK().GroupKind()).Data }

// has reports whether the set has objects of a reference's kind.
func (s Set) has(ref Ref) bool { return s.kind(ref.GVK().GroupKind()).Version != "" }

// valid reports whether a reference may be used in a request at all.
func (s Set) valid(ref Ref) bool { return s.has(ref) && validName(ref.Name) }

func (s Set) inventoryRef() Ref { return Ref{Version: "v1", Kind: "ConfigMap", Name: s.Inventory} }

// Ref names an object of our namespace, or one that is in none: its kind tells
// which. It has no namespace of its own, so that none can be smuggled in.
type Ref struct {
	Group   string `json:"group,omitempty"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
	Name    string `json:"name"`
}

// RefOf is the reference to an object.
func RefOf(obj *unstructured.Unstructured) Ref {
	gvk := obj.GroupVersionKind()
	return Ref{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Name: obj.GetName()}
}

// GVK is the reference's kind.
func (r Ref) GVK() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
}

// String is the reference as an error names it: "Deployment ostoy-frontend".
func (r Ref) String() string { return r.Kind + " " + r.Name }

// Resource is the reference as kubectl takes it: deployment/ostoy-frontend.
// ACK's Bucket is spelled in full, because Flux has a Bucket, too, and
// so are OLM's kinds: Knative and Advanced Cluster Management have Subscriptions.
func (r Ref) Resource() string {
	kind := strings.ToLower(r.Kind)
	switch {
	case r.Kind == "Bucket":
		kind = "bucket.s3.services.k8s.aws"
	case r.Group == olmGroup:
		kind += "s." + r.Group
	}
	return kind + "/" + r.Name
}

// same reports whether two references name one object; the version of the
// kind is only a way to read it.
func (r Ref) same(o Ref) bool { return r.Group == o.Group && r.Kind == o.Kind && r.Name == o.Name }

// validName accepts what can be one segment of a URL path and of a line: names
// of RoleBindings have colons, so a DNS name would be too narrow.
func validName(name string) bool {
	return name != "" && len(name) <= 253 && len(content.IsPathSegmentName(name)) == 0 &&
		!strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}

// IsBucket reports whether the object is ACK's Bucket.
func (r Ref) IsBucket() bool { return r.Kind == "Bucket" && r.Group == "s3.services.k8s.aws" }

// IsVolume reports whether the object is a PersistentVolumeClaim.
func (r Ref) IsVolume() bool { return r.Kind == "PersistentVolumeClaim" && r.Group == "" }

// IsDefinition reports whether the object is a CustomResourceDefinition.
func (r Ref) IsDefinition() bool {
	return r.Kind == "CustomResourceDefinition" && r.Group == "apiextensions.k8s.io"
}

// ErrNotLookedAt is the error for an object of a kind that a Snapshot has not.
var ErrNotLookedAt = errors.New("not looked at")

// Snapshot is a Resources whose objects were read before, by lists, so that a plan made
// of them sends nothing. It can only be read, as a plan with Guess does. Fill it
// before it is used; it is then safe for concurrent use.
type Snapshot struct {
	kinds map[schema.GroupKind]error
	held  map[heldKey]*unstructured.Unstructured
}

type heldKey struct {
	kind            schema.GroupKind
	namespace, name string
}

// Add says that these are all objects of a kind, or why they are not known.
func (s *Snapshot) Add(kind schema.GroupKind, objects []*unstructured.Unstructured, err error) {
	if s.kinds == nil {
		s.kinds, s.held = map[schema.GroupKind]error{}, map[heldKey]*unstructured.Unstructured{}
	}
	s.kinds[kind] = err
	for _, object := range objects {
		s.held[heldKey{kind, object.GetNamespace(), object.GetName()}] = object
	}
}

// Resource implements Resources.
func (s *Snapshot) Resource(_ context.Context, gvk schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	err, added := s.kinds[gvk.GroupKind()]
	if !added {
		err = ErrNotLookedAt
	}
	return held{from: s, kind: gvk.GroupKind(), namespace: namespace}, err
}

// held reads from a snapshot. The embedded interface is nil: a plan that only
// looks calls nothing but Get.
type held struct {
	dynamic.ResourceInterface
	from      *Snapshot
	kind      schema.GroupKind
	namespace string
}

// Get implements dynamic.ResourceInterface.
func (h held) Get(_ context.Context, name string, _ metav1.GetOptions, _ ...string) (*unstructured.Unstructured, error) {
	object := h.from.held[heldKey{h.kind, h.namespace, name}]
	if object == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Group: h.kind.Group, Resource: h.kind.Kind}, name)
	}
	return object, nil
}
