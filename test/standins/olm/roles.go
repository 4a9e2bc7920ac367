package olm

import (
	"context"

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
