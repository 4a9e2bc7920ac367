// Package presence judges whether the app is installed in a project, and, if it is not,
// what is kept of it. Every command that looks asks it, so that they agree.
//
// Data that uninstall keeps, the inventory and the IAM role do not make an install, and
// neither does a project that a run created and left empty.
package presence

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Seen is what was seen of the app, in its project and in AWS.
type Seen struct {
	Namespace string
	Inventory apply.Inventory
	Objects   []*unstructured.Unstructured // that exist
	S3        S3
	Role      string // the name of the project's IAM role; "" if there is none, or none to be seen
	Unknown   error  // why it is not known whether AWS has bucket and role, nil if it is
}

// S3 is what S3 says of the bucket; the zero value is nothing.
type S3 struct {
	State    bucket.State
	Contents *bucket.Contents // nil if it could not be counted
	More     bool             // there is more than was counted
}

// witness is an object whose existence is a part of an install.
type witness struct {
	resource schema.GroupVersionResource
	kind     string
	names    []string
}

// witnesses are the objects that are looked at, by the names that the chart gives them. They
// are of the kinds that are listed for all projects at once, too.
func witnesses() []witness {
	return []witness{
		{kinds.Service.GVR(), "Service", []string{render.Frontend + "-svc", render.Microservice + "-svc"}},
		{kinds.ServiceAccount.GVR(), "ServiceAccount", []string{render.ServiceAccount}},
		{kinds.Route.GVR(), "Route", []string{"ostoy-route"}},
		{kinds.Ingress.GVR(), "Ingress", []string{"ostoy-ingress"}},
	}
}

// data are the objects that uninstall keeps.
func data(namespace string) []witness {
	return []witness{
		{kinds.PersistentVolumeClaim.GVR(), "PersistentVolumeClaim", []string{"ostoy-pvc"}},
		{kinds.Bucket.GVR(), "Bucket", []string{render.BucketName(namespace)}},
	}
}

// workloads are the app's Deployments: whoever created them, the app is installed.
func workloads() []witness {
	return []witness{{kinds.Deployment.GVR(), "Deployment", []string{render.Frontend, render.Microservice}}}
}

// among reports whether an object is one of the witnesses.
func among(all []witness, object *unstructured.Unstructured) bool {
	return slices.ContainsFunc(all, func(w witness) bool {
		return w.kind == object.GetKind() && slices.Contains(w.names, object.GetName())
	})
}

// Concerns reports whether an object is one of those that are looked at.
func Concerns(object *unstructured.Unstructured) bool {
	return among(slices.Concat(workloads(), witnesses(), data(object.GetNamespace())), object)
}

// Installed reports whether the app is installed, be it in part: one of its Deployments
// exists, or an object that is no data and that this tool or a GitOps controller applied.
func (s Seen) Installed() bool {
	return slices.ContainsFunc(s.Objects, func(object *unstructured.Unstructured) bool {
		applied := apply.Ours(object) || apply.DeliveredBy(object) != ""
		return among(workloads(), object) || applied && among(witnesses(), object)
	})
}

// Kept is one thing that exists although the app is not installed.
type Kept struct {
	What     string           `json:"what"` // inventory, object, volume, bucket resource, bucket, role
	Name     string           `json:"name"`
	Contents *bucket.Contents `json:"contents,omitempty"` // of the bucket, unless it could not be counted
	More     bool             `json:"moreContents,omitempty"`
}

// The things that may be kept.
const (
	inventory      = "inventory"
	object         = "object"
	volume         = "volume"
	bucketResource = "Bucket resource"
	inS3           = "bucket"
	role           = "role"
)

func (k Kept) String() string {
	switch {
	case k.What == object:
		return k.Name + " (not managed by ostoy-s3)"
	case k.What != inS3:
		return k.What + " " + k.Name
	case k.More:
		return "bucket " + k.Name + " (more than " + bucket.Amount(k.Contents) + ")"
	}
	return "bucket " + k.Name + " (" + bucket.Amount(k.Contents) + ")"
}

// Kept is what exists although the app is not installed.
func (s Seen) Kept() []Kept {
	kept := []Kept{}
	if s.Inventory.Found && !s.Inventory.Foreign {
		kept = append(kept, Kept{What: inventory, Name: apply.InventoryName})
	}
	for _, one := range s.Objects {
		if among(witnesses(), one) {
			kept = append(kept, Kept{What: object, Name: apply.RefOf(one).String()})
		}
	}
	for n, what := range []string{volume, bucketResource} {
		for _, one := range s.Objects {
			if among(data(s.Namespace)[n:n+1], one) {
				kept = append(kept, Kept{What: what, Name: one.GetName()})
			}
		}
	}
	if s.S3.ofProject(s.Namespace) {
		kept = append(kept, Kept{What: inS3, Name: s.S3.State.Name, Contents: s.S3.Contents, More: s.S3.More})
	}
	if s.Role != "" {
		kept = append(kept, Kept{What: role, Name: advice.RoleName(s.Role).String()})
	}
	return kept
}

// ofProject reports whether S3 has the project's bucket, as far as its tags can be read.
func (s S3) ofProject(namespace string) bool {
	switch s.State.Kind {
	case bucket.Ours, bucket.TagsUnreadable:
		return true
	case bucket.OtherRegion:
		return s.State.Tags[render.TagManagedBy] == render.ManagedBy && s.State.Tags[render.TagNamespace] == namespace
	}
	return false
}

// State is what a document has as the state of a project in which the app is not installed.
const State = "not installed"

// Document is a project in which the app is not installed, as -o json prints it.
type Document struct {
	Namespace string `json:"namespace"`
	State     string `json:"state"`
	Kept      []Kept `json:"kept"`
}

// Document is what was seen as a document.
func (s Seen) Document() Document { return Document{s.Namespace, State, s.Kept()} }

// Words are the document in one line: "not installed; kept: volume ostoy-pvc".
func (d Document) Words() string { return State + words(d.Kept) }

func words(kept []Kept) string {
	if len(kept) == 0 {
		return ""
	}
	names := make([]string, len(kept))
	for n, one := range kept {
		names[n] = one.String()
	}
	return "; kept: " + strings.Join(names, ", ")
}

const headline = "OSToy is not installed in project "

// NotInstalled is the refusal of a command that is about an install.
func (s Seen) NotInstalled() *problem.Error {
	why := "no Deployment of OSToy exists, and no Service, service account, Route or Ingress that ostoy-s3 applied"
	if s.Unknown != nil {
		why += "; what is kept in AWS is not known: " + awserr.Redact(plain.Said(s.Unknown.Error()))
	}
	next := advice.Command("oc ostoy-s3 install", "-n", s.Namespace)
	if remove := s.remove(); remove != "" {
		next += "\nto remove what is kept: " + remove
	}
	return problem.Refuse(headline+s.Namespace+words(s.Kept()), why, next)
}

// remove is the command that removes what is kept; "" if that is nothing. Without the role
// nothing shows that the bucket is this project's, so that it takes --adopt=bucket.
func (s Seen) remove() string {
	words, kept := []string{"-n", s.Namespace}, s.Kept()
	kept = slices.DeleteFunc(kept, func(one Kept) bool { return one.What == object }) // uninstall does not remove those
	has := func(whats ...string) bool {
		return slices.ContainsFunc(kept, func(one Kept) bool { return slices.Contains(whats, one.What) })
	}
	switch {
	case len(kept) == 0:
		return ""
	case !has(inventory, volume, bucketResource, inS3):
		words = append(words, "--role-only")
	case has(inS3) && !has(role):
		words = append(words, "--delete-data", "--adopt=bucket")
	case has(volume, inS3):
		words = append(words, "--delete-data")
	}
	return advice.Command("oc ostoy-s3 uninstall", words...)
}
