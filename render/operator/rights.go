package operator

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

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

// ReadRights are what takes the place of Rights on a cluster that cannot check
// Buckets (AdmissionServed): everybody who can see a project sees its Buckets, and
// nobody is allowed to create one because of them.
func ReadRights() []*unstructured.Unstructured {
	return []*unstructured.Unstructured{bucketRole(ViewRole, []string{"admin", "edit", "view"}, rule("buckets", "get", "list", "watch"))}
}

// Access is what gives the projects of a cluster their Buckets: AdmissionPolicy, with
// the controllers that are exempt from it, and Rights; where the cluster does not
// serve the policy, ReadRights alone.
func Access(f render.Facts, served bool, controllers []string) []*unstructured.Unstructured {
	if !served {
		return ReadRights()
	}
	return append(AdmissionPolicy(f, controllers), Rights()...)
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
