package apply

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

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
// ACK's Bucket is spelled in full, because Flux has a Bucket, too (FACTS 1.1), and
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
func (r Ref) same(o Ref) bool {
	return r.Group == o.Group && r.Kind == o.Kind && r.Name == o.Name
}

// validName accepts what can be one segment of a URL path and of a line: names
// of RoleBindings have colons, so a DNS name would be too narrow.
func validName(name string) bool {
	if name == "" || len(name) > 253 || len(content.IsPathSegmentName(name)) > 0 {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}

// IsBucket reports whether the object is ACK's Bucket.
func (r Ref) IsBucket() bool { return r.Kind == "Bucket" && r.Group == "s3.services.k8s.aws" }

// IsVolume reports whether the object is a PersistentVolumeClaim.
func (r Ref) IsVolume() bool { return r.Kind == "PersistentVolumeClaim" && r.Group == "" }

// IsDefinition reports whether the object is a CustomResourceDefinition.
func (r Ref) IsDefinition() bool {
	return r.Kind == "CustomResourceDefinition" && r.Group == "apiextensions.k8s.io"
}
