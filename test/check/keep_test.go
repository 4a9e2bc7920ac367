package check_test

import (
	"context"
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// pause is between two looks at something that has to happen.
const pause = 100 * time.Millisecond

// putBackLimit is how long a busy machine may take to put something back.
const putBackLimit = 2 * time.Minute

func configs(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "config.openshift.io", Version: "v1", Resource: resource}
}

func rbac(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: resource}
}

func olm(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: resource}
}

func storageClasses() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "storage.k8s.io", Version: "v1", Resource: "storageclasses"}
}

func webhooks() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"}
}

func crds() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
}

func deployments() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
}

func core(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: resource}
}

// keep remembers an object, and puts it back as it was when the test ends.
func keep(t *testing.T, s *scene, resource schema.GroupVersionResource, namespace, name string) {
	t.Helper()
	client := s.Dynamic.Resource(resource).Namespace(namespace)
	was, err := client.Get(t.Context(), name, metav1.GetOptions{})
	must(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), putBackLimit)
		defer cancel()
		must(t, testbed.Poll(ctx, pause, func(ctx context.Context) error {
			is, err := client.Get(ctx, name, metav1.GetOptions{})
			copied := was.DeepCopy()
			copied.SetManagedFields(nil)
			switch {
			case apierrors.IsNotFound(err):
				copied.SetResourceVersion("")
				copied.SetUID("")
				if _, err = client.Create(ctx, copied, metav1.CreateOptions{}); err != nil {
					return err
				}
				return errors.New("its status is to be put back")
			case err != nil:
				return err
			case is.GetDeletionTimestamp() != nil:
				return errors.New("on its way out")
			}
			return putBack(ctx, s, resource, namespace, is, copied)
		}))
	})
}

func putBack(ctx context.Context, s *scene, resource schema.GroupVersionResource, namespace string, is, copied *unstructured.Unstructured) error {
	client := s.Dynamic.Resource(resource).Namespace(namespace)
	copied.SetResourceVersion(is.GetResourceVersion())
	copied.SetUID(is.GetUID())
	now, err := client.Update(ctx, copied, metav1.UpdateOptions{})
	if err != nil || resource == deployments() {
		return err // of a Deployment the status is its controller's
	}
	if _, has := copied.Object["status"]; !has {
		return nil
	}
	copied.SetResourceVersion(now.GetResourceVersion())
	_, err = client.UpdateStatus(ctx, copied, metav1.UpdateOptions{})
	return err
}

// change changes an object by a merge patch until the test ends.
func change(t *testing.T, s *scene, resource schema.GroupVersionResource, namespace, name, patch string) {
	t.Helper()
	keep(t, s, resource, namespace, name)
	_, err := s.Dynamic.Resource(resource).Namespace(namespace).Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	must(t, err)
}

// remove deletes an object until the test ends.
func remove(t *testing.T, s *scene, resource schema.GroupVersionResource, namespace, name string) {
	t.Helper()
	keep(t, s, resource, namespace, name)
	must(t, s.Dynamic.Resource(resource).Namespace(namespace).Delete(t.Context(), name, metav1.DeleteOptions{}))
}

// mustBeGone ends the test where something that a scene has created could not be deleted.
// What is advised may have deleted it.
func mustBeGone(t *testing.T, err error) {
	t.Helper()
	if !apierrors.IsNotFound(err) {
		must(t, err)
	}
}

// addNothing deletes when the test ends what has come to the cluster and to the controller's
// namespace: what is advised creates objects, such as permissions for all projects.
func addNothing(t *testing.T, bed *testbed.Bed) {
	t.Helper()
	type place struct {
		resource        schema.GroupVersionResource
		namespace, name string
	}
	look := func(ctx context.Context, see func(place)) {
		for resource, namespace := range map[schema.GroupVersionResource]string{
			rbac("clusterroles"): "", rbac("clusterrolebindings"): "", rbac("roles"): acks, rbac("rolebindings"): acks,
			policies("validatingadmissionpolicies"): "", policies("validatingadmissionpolicybindings"): "",
		} {
			list, err := bed.Dynamic.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{})
			must(t, err)
			for _, one := range list.Items {
				see(place{resource, namespace, one.GetName()})
			}
		}
	}
	before := map[place]bool{}
	look(t.Context(), func(p place) { before[p] = true })
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		look(ctx, func(p place) {
			if !before[p] {
				mustBeGone(t, bed.Dynamic.Resource(p.resource).Namespace(p.namespace).Delete(ctx, p.name, metav1.DeleteOptions{}))
			}
		})
	})
}
