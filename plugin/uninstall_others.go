package plugin

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
)

// others names what is in the project besides our objects and what every project
// is given. Kinds that this user may not list are passed over: they are of those
// who run the cluster.
func (u *uninstall) others(ctx context.Context) ([]string, error) {
	const atOnce = 8
	served, err := u.conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	made, err := u.conn.Dynamic.Resource(namespaces()).Get(ctx, u.namespace(), metav1.GetOptions{})
	if err != nil {
		return nil, u.conn.Translate(err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	var mu sync.Mutex
	var names []string
	for _, resource := range served.InNamespaces() {
		if passing(resource) {
			continue
		}
		group.Go(func() error {
			found, err := u.othersOf(ctx, resource, made.GetCreationTimestamp().Time)
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

func (u *uninstall) othersOf(ctx context.Context, resource schema.GroupVersionResource, made time.Time) ([]string, error) {
	const page = 500
	opts := metav1.ListOptions{Limit: page}
	var names []string
	for {
		list, err := u.conn.Dynamic.Resource(resource).Namespace(u.namespace()).List(ctx, opts)
		switch {
		case apierrors.IsForbidden(err), apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err):
			return nil, nil
		case err != nil:
			return nil, u.conn.Translate(err)
		}
		for i := range list.Items {
			if object := &list.Items[i]; !belongs(resource, object, made) {
				names = append(names, object.GetKind()+" "+object.GetName())
			}
		}
		if opts.Continue = list.GetContinue(); opts.Continue == "" {
			return names, nil
		}
	}
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
