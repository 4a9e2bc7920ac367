package live

import "k8s.io/apimachinery/pkg/runtime/schema"

func core(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: resource}
}

// The resources that are looked at, in the versions that every supported cluster
// serves.

// Namespaces of the cluster; OpenShift's projects are the same objects.
func Namespaces() schema.GroupVersionResource { return core("namespaces") }

// Pods of any namespace.
func Pods() schema.GroupVersionResource { return core("pods") }

// ServiceAccounts of any namespace.
func ServiceAccounts() schema.GroupVersionResource { return core("serviceaccounts") }

// ConfigMaps of any namespace.
func ConfigMaps() schema.GroupVersionResource { return core("configmaps") }

// Volumes are the PersistentVolumeClaims of any namespace.
func Volumes() schema.GroupVersionResource { return core("persistentvolumeclaims") }

// Deployments of any namespace.
func Deployments() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
}

// Buckets are ACK's.
func Buckets() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "s3.services.k8s.aws", Version: "v1alpha1", Resource: "buckets"}
}

// Routes are OpenShift's.
func Routes() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "route.openshift.io", Version: "v1", Resource: "routes"}
}

// Webhooks are the MutatingWebhookConfigurations of the cluster.
func Webhooks() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"}
}

// ClusterRoles are the cluster's.
func ClusterRoles() schema.GroupVersionResource { return rbac("clusterroles") }

// ClusterRoleBindings are the cluster's.
func ClusterRoleBindings() schema.GroupVersionResource { return rbac("clusterrolebindings") }

// Roles are those of a namespace.
func Roles() schema.GroupVersionResource { return rbac("roles") }

// RoleBindings are those of a namespace.
func RoleBindings() schema.GroupVersionResource { return rbac("rolebindings") }

func rbac(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: rbacGroup, Version: "v1", Resource: resource}
}

// Leases say who leads, of any namespace.
func Leases() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
}
