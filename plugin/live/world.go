package live

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// World is what is there of the install in one namespace. Make one for each
// look: it never asks twice, so it grows old. It is safe for concurrent use.
type World struct {
	Conn      *cluster.Conn
	Namespace string
	Facts     render.Facts   // as far as they are known
	AWSRegion string         // of flag, environment or profile, "" where none names one
	Roles     *iam.Client    // nil where there are no AWS credentials
	Buckets   *bucket.Client // nil where there are no AWS credentials
	// RoleNamed is the name of the install's role where no record has to tell it.
	RoleNamed string
	// Planner plans what install would do; nil where too little is known for it.
	Planner func(context.Context) (*apply.Plan, error)

	lists     askedOf[listKey, []*unstructured.Unstructured]
	objects   askedOf[objectKey, *unstructured.Unstructured]
	inventory asked[apply.Inventory]

	bucketState asked[bucket.State]
	usual       asked[UsualRole]
	roles       askedOf[string, *iam.Actual] // by name
	provider    asked[*iam.OIDCProvider]

	settings  bucketSettings
	logStarts askedOf[string, string]
	plan      asked[*apply.Plan]

	identityAnswers
	controllers asked[Controllers]
	lastLogs    askedOf[string, string]
	proofs      askedOf[string, bool] // by the user name of a service account
}

// listKey is a kind in a namespace; the empty namespace is the whole cluster.
type listKey struct {
	resource  schema.GroupVersionResource
	namespace string
	selector  string
}

type objectKey struct {
	resource        schema.GroupVersionResource
	namespace, name string
}

// List gives all objects of a resource in a namespace ("" for the whole cluster)
// that a label selector ("" for all) chooses. They are shared: do not change
// them. A resource that is not served is a NotFound, as the server words it.
func (w *World) List(ctx context.Context, resource schema.GroupVersionResource, namespace, selector string) ([]*unstructured.Unstructured, error) {
	return w.lists.get(ctx, listKey{resource, namespace, selector}, func() ([]*unstructured.Unstructured, error) {
		return cluster.ListAll(ctx, w.Conn.Dynamic.Resource(resource).Namespace(namespace), metav1.ListOptions{LabelSelector: selector})
	})
}

// Here is List in the install's own namespace.
func (w *World) Here(ctx context.Context, resource schema.GroupVersionResource) ([]*unstructured.Unstructured, error) {
	return w.List(ctx, resource, w.Namespace, "")
}

// Get gives one object; nil, and no error, where it is not there. Namespace is
// empty for what has none. What Here lists anyway is better taken from there.
func (w *World) Get(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	return w.objects.get(ctx, objectKey{resource, namespace, name}, func() (*unstructured.Unstructured, error) {
		return absent(w.Conn.Dynamic.Resource(resource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{}))
	})
}

// One is the object of that name among those in the install's own namespace;
// nil, and no error, where it is not there.
func (w *World) One(ctx context.Context, resource schema.GroupVersionResource, name string) (*unstructured.Unstructured, error) {
	list, err := w.Here(ctx, resource)
	if err != nil {
		return nil, err
	}
	for _, object := range list {
		if object.GetName() == name {
			return object, nil
		}
	}
	return nil, nil
}

func absent(object *unstructured.Unstructured, err error) (*unstructured.Unstructured, error) {
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return object, err
}

// Project is the namespace; nil where it is not there. Who may not see it gets
// the server's refusal.
func (w *World) Project(ctx context.Context) (*unstructured.Unstructured, error) {
	return w.Get(ctx, Namespaces(), "", w.Namespace)
}

// Inventory is what install put on record; the zero Inventory where it did not.
func (w *World) Inventory(ctx context.Context) (apply.Inventory, error) {
	return w.inventory.get(ctx, func() (apply.Inventory, error) {
		return apply.New(w.Conn, apply.Options{Namespace: w.Namespace}).ReadInventory(ctx)
	})
}
