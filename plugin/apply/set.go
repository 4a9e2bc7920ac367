package apply

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
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
}

// Kind is a kind of objects, in the version by which we speak of it.
type Kind struct {
	schema.GroupVersionKind
	Cluster bool // it is in no namespace
	Data    bool // deleting one destroys data: never pruned (DESIGN section 4)
}

// App is what the chart of the app has.
func App() Set {
	return Set{
		Inventory: InventoryName,
		Kinds: []Kind{
			within("", "v1", "ServiceAccount"),
			within("", "v1", "ConfigMap"),
			within("", "v1", "Secret"),
			within("", "v1", "Service"),
			dataOfKind(within("", "v1", "PersistentVolumeClaim")),
			within("apps", "v1", "Deployment"),
			within("route.openshift.io", "v1", "Route"),
			within("networking.k8s.io", "v1", "Ingress"),
			within("networking.k8s.io", "v1", "NetworkPolicy"),
			within(rbacGroup, "v1", "RoleBinding"),
			dataOfKind(within("s3.services.k8s.aws", "v1alpha1", "Bucket")),
		},
		Render:  "oc ostoy-s3 render",
		Install: "oc ostoy-s3 install",
		Values:  "--set or -f",
		Upgrade: "helm upgrade ostoy-s3 ... -f <(oc ostoy-s3 values)",
		Beside:  "the role and the bucket",
	}
}

// Controller is what brings the ACK S3 controller: by OLM (FACTS 1.6) or by
// ACK's own chart (FACTS 1.8). Deleting a definition deletes every object of its
// kind, so definitions count as data.
func Controller() Set {
	return Set{
		Inventory: ControllerInventoryName,
		Kinds: []Kind{
			within("", "v1", "ServiceAccount"),
			within("", "v1", "ConfigMap"),
			within("", "v1", "Service"),
			within("apps", "v1", "Deployment"),
			within(rbacGroup, "v1", "Role"),
			within(rbacGroup, "v1", "RoleBinding"),
			without(rbacGroup, "v1", "ClusterRole"),
			without(rbacGroup, "v1", "ClusterRoleBinding"),
			dataOfKind(without("apiextensions.k8s.io", "v1", "CustomResourceDefinition")),
			without(operator.AdmissionGroup, "v1", "ValidatingAdmissionPolicy"),
			without(operator.AdmissionGroup, "v1", "ValidatingAdmissionPolicyBinding"),
			within(olmGroup, "v1", "OperatorGroup"),
			within(olmGroup, "v1alpha1", "Subscription"),
		},
		Render:  "oc ostoy-s3 controller render",
		Install: "oc ostoy-s3 controller install",
		Upgrade: "helm upgrade",
		Beside:  "the role",
	}
}

const (
	rbacGroup = "rbac.authorization.k8s.io"
	olmGroup  = "operators.coreos.com"
)

func within(group, version, kind string) Kind {
	return Kind{GroupVersionKind: schema.GroupVersionKind{Group: group, Version: version, Kind: kind}}
}

func without(group, version, kind string) Kind {
	k := within(group, version, kind)
	k.Cluster = true
	return k
}

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
	for _, k := range s.Kinds {
		if k.GroupKind() == gk {
			return k
		}
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
