package olm

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ensureRoles creates the Roles of the bundle, as a step of an InstallPlan. OLM 0.46
// gives them no owner, and leaves them when the CSV is deleted.
func (o *OLM) ensureRoles(ctx context.Context, namespace string) error {
	client := o.config.Cluster.Resource(schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"}).Namespace(namespace)
	for name, verbs := range map[string][]any{
		"ack-s3-reader": {"get", "list", "watch"},
		"ack-s3-writer": {"create", "delete", "get", "list", "patch", "update", "watch"},
	} {
		role := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
			"rules": []any{map[string]any{"apiGroups": []any{"s3.services.k8s.aws"}, "resources": []any{"buckets"}, "verbs": verbs}},
		}}
		role.SetName(name)
		role.SetLabels(map[string]string{"olm.managed": "true"})
		if _, err := client.Create(ctx, role, metav1.CreateOptions{FieldManager: "catalog"}); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

// ownerLabel names the CSV that a cluster-wide role or its binding is for.
const ownerLabel = "olm.owner"

var (
	clusterRoles        = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"}
	clusterRoleBindings = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"}
)

// ungrant removes the operator's cluster-wide permissions when its CSV is gone: OLM
// finds them by their labels, because what has a namespace cannot own them.
func (o *OLM) ungrant(ctx context.Context) error {
	var failed error
	for _, resource := range []schema.GroupVersionResource{clusterRoleBindings, clusterRoles} {
		client := o.config.Cluster.Resource(resource)
		list, err := client.List(ctx, metav1.ListOptions{LabelSelector: ownerLabel})
		if err != nil {
			return err
		}
		for _, object := range list.Items {
			// Asked after the list: the CSV is always created first.
			labels := object.GetLabels()
			_, err := o.config.Cluster.Resource(csvs).Namespace(labels["olm.owner.namespace"]).Get(ctx, labels[ownerLabel], metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				err = client.Delete(ctx, object.GetName(), metav1.DeleteOptions{})
			}
			if !apierrors.IsNotFound(err) {
				failed = errors.Join(failed, err)
			}
		}
	}
	return failed
}
