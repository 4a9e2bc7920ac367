package live

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
)

// Others names what is in a namespace besides this tool's objects, what every
// namespace is given when it is made, and what expected says of: "Deployment web".
// Kinds that this user may not list are passed over: they are of those who run
// the cluster. Unlike the rest of this package it asks anew each time.
func Others(ctx context.Context, conn *cluster.Conn, namespace string, expected func(*unstructured.Unstructured) bool) ([]string, error) {
	const atOnce = 8
	served, err := conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	made, err := conn.Dynamic.Resource(Namespaces()).Get(ctx, namespace, metav1.GetOptions{})
	if err != nil {
		return nil, conn.Translate(err)
	}
	others := others{conn, namespace, made.GetCreationTimestamp().Time, expected}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	var mu sync.Mutex
	var names []string
	for _, resource := range served.InNamespaces() {
		if passing(resource) {
			continue
		}
		group.Go(func() error {
			found, err := others.of(ctx, resource)
			mu.Lock()
			defer mu.Unlock()
			names = append(names, found...)
			return err
		})
	}
	err = group.Wait()
	slices.Sort(names)
	return slices.Compact(names), err
}

// others is one call of Others.
type others struct {
	conn      *cluster.Conn
	namespace string
	made      time.Time // the namespace
	expected  func(*unstructured.Unstructured) bool
}

func (o others) of(ctx context.Context, resource schema.GroupVersionResource) ([]string, error) {
	all, err := cluster.ListAll(ctx, o.conn.Dynamic.Resource(resource).Namespace(o.namespace), metav1.ListOptions{})
	switch {
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err):
		return nil, nil
	case err != nil:
		return nil, o.conn.Translate(err)
	}
	var names []string
	for _, object := range all {
		if !belongs(resource, object, o.made) && !o.expected(object) {
			names = append(names, object.GetKind()+" "+object.GetName())
		}
	}
	return names, nil
}

// passing are kinds whose objects come and go by themselves, or are only a view
// of something else.
func passing(resource schema.GroupVersionResource) bool {
	switch resource.Group {
	case "metrics.k8s.io", "events.k8s.io", "packages.operators.coreos.com", "project.openshift.io":
		return true
	}
	return slices.Contains([]string{
		"events", "endpoints", "endpointslices", "leases", "controllerrevisions", "appliedclusterresourcequotas",
	}, resource.Resource)
}

// belongs reports whether an object is ours, another's shadow (its owner is
// there to be seen), or something that a project is given when it is made.
func belongs(resource schema.GroupVersionResource, object *unstructured.Unstructured, made time.Time) bool {
	if apply.Ours(object) || len(object.GetOwnerReferences()) > 0 || object.GetLabels()["olm.copiedFrom"] != "" {
		return true
	}
	name := object.GetName()
	switch resource.Resource {
	case "configmaps":
		return slices.Contains([]string{"kube-root-ca.crt", "openshift-service-ca.crt"}, name)
	case "serviceaccounts":
		return slices.Contains([]string{"default", "builder", "deployer"}, name)
	case "secrets":
		return object.GetAnnotations()["kubernetes.io/service-account.name"] != ""
	case "rolebindings":
		if name == "admin" || strings.HasPrefix(name, "system:") {
			return true
		}
	case "limitranges", "resourcequotas", "networkpolicies": // of the project template, if as old as the project
	default:
		return false
	}
	const soon = 10 * time.Second
	return object.GetCreationTimestamp().Sub(made) < soon
}
