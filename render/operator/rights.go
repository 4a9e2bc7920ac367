package operator

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Rights are the ClusterRoles that let everybody who is admin or editor of a
// project make Buckets in it, and viewers see them. OLM makes such roles for the
// CRDs of an operator, Helm does not, and without them a project admin is refused
// (FACTS 10.1). They are of the whole cluster, and there is one pair of them.
//
// Kubernetes adds a role with the label to the one it names:
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
func Rights() []*unstructured.Unstructured {
	return []*unstructured.Unstructured{
		bucketRole(EditRole, []string{"admin", "edit"},
			rule("buckets", "get", "list", "watch", "create", "update", "patch", "delete"),
			rule("buckets/status", "get")),
		bucketRole(ViewRole, []string{"view"}, rule("buckets", "get", "list", "watch")),
	}
}

// bucketRole is a ClusterRole that Kubernetes adds to others.
func bucketRole(name string, to []string, rules ...any) *unstructured.Unstructured {
	role := newObject("rbac.authorization.k8s.io/v1", "ClusterRole", "", name, waveFurniture)
	labels := role.GetLabels()
	for _, other := range to {
		labels["rbac.authorization.k8s.io/aggregate-to-"+other] = "true"
	}
	role.SetLabels(labels)
	role.Object["rules"] = rules
	return role
}

func rule(resource string, verbs ...string) map[string]any {
	allowed := make([]any, 0, len(verbs))
	for _, verb := range verbs {
		allowed = append(allowed, verb)
	}
	return map[string]any{"apiGroups": []any{"s3.services.k8s.aws"}, "resources": []any{resource}, "verbs": allowed}
}
