// Package kinds is the one table of the kinds of Kubernetes objects that this tool
// speaks of: each with its group, the version that every supported cluster serves, and
// the name of its resource. It asks no cluster.
package kinds

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind is a kind of objects.
type Kind struct{ group, version, name, plural string }

// The API groups that the table has several kinds of.
const (
	admission  = "admissionregistration.k8s.io"
	config     = "config.openshift.io"
	networking = "networking.k8s.io"
	olm        = "operators.coreos.com"
	rbac       = "rbac.authorization.k8s.io"
)

// Of Kubernetes.
var (
	ConfigMap             = Kind{"", "v1", "ConfigMap", "configmaps"}
	Event                 = Kind{"", "v1", "Event", "events"}
	Namespace             = Kind{"", "v1", "Namespace", "namespaces"}
	Pod                   = Kind{"", "v1", "Pod", "pods"}
	LimitRange            = Kind{"", "v1", "LimitRange", "limitranges"}
	Node                  = Kind{"", "v1", "Node", "nodes"}
	PersistentVolume      = Kind{"", "v1", "PersistentVolume", "persistentvolumes"}
	ResourceQuota         = Kind{"", "v1", "ResourceQuota", "resourcequotas"}
	Secret                = Kind{"", "v1", "Secret", "secrets"}
	Service               = Kind{"", "v1", "Service", "services"}
	ServiceAccount        = Kind{"", "v1", "ServiceAccount", "serviceaccounts"}
	PersistentVolumeClaim = Kind{"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"}
	Deployment            = Kind{"apps", "v1", "Deployment", "deployments"}
	Lease                 = Kind{"coordination.k8s.io", "v1", "Lease", "leases"}
	Ingress               = Kind{networking, "v1", "Ingress", "ingresses"}
	NetworkPolicy         = Kind{networking, "v1", "NetworkPolicy", "networkpolicies"}
	StorageClass          = Kind{"storage.k8s.io", "v1", "StorageClass", "storageclasses"}
	CSIDriver             = Kind{"storage.k8s.io", "v1", "CSIDriver", "csidrivers"}

	Role                     = Kind{rbac, "v1", "Role", "roles"}
	RoleBinding              = Kind{rbac, "v1", "RoleBinding", "rolebindings"}
	ClusterRole              = Kind{rbac, "v1", "ClusterRole", "clusterroles"}
	ClusterRoleBinding       = Kind{rbac, "v1", "ClusterRoleBinding", "clusterrolebindings"}
	LocalSubjectAccessReview = Kind{"authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews"}

	CustomResourceDefinition         = Kind{"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions"}
	MutatingWebhookConfiguration     = Kind{admission, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"}
	ValidatingAdmissionPolicy        = Kind{admission, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies"}
	ValidatingAdmissionPolicyBinding = Kind{admission, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"}
)

// Of OpenShift.
var (
	Authentication = Kind{config, "v1", "Authentication", "authentications"}
	ClusterVersion = Kind{config, "v1", "ClusterVersion", "clusterversions"}
	Infrastructure = Kind{config, "v1", "Infrastructure", "infrastructures"}
	// AppliedClusterResourceQuota is a quota of the cluster as it applies to a project, readable
	// there.
	AppliedClusterResourceQuota = Kind{"quota.openshift.io", "v1", "AppliedClusterResourceQuota", "appliedclusterresourcequotas"}

	// MachineAutoscaler says how many nodes a set of machines may have.
	MachineAutoscaler = Kind{"autoscaling.openshift.io", "v1beta1", "MachineAutoscaler", "machineautoscalers"}

	Project = Kind{"project.openshift.io", "v1", "Project", "projects"}
	Route   = Kind{"route.openshift.io", "v1", "Route", "routes"}
	Group   = Kind{"user.openshift.io", "v1", "Group", "groups"}
)

// Of the Operator Lifecycle Manager and of AWS Controllers for Kubernetes.
var (
	Subscription = Kind{olm, "v1alpha1", "Subscription", "subscriptions"}
	InstallPlan  = Kind{olm, "v1alpha1", "InstallPlan", "installplans"}
	// ClusterServiceVersion is an operator in one version.
	ClusterServiceVersion = Kind{olm, "v1alpha1", "ClusterServiceVersion", "clusterserviceversions"}
	// OperatorGroup says which namespaces the operators of its namespace serve.
	OperatorGroup = Kind{olm, "v1", "OperatorGroup", "operatorgroups"}
	// PackageManifest is what a catalog offers. Several may have the name of one package,
	// one for each catalog that has it: list them, a Get answers with any. OLM's package
	// server, which serves them, may be down when OLM is not.
	PackageManifest = Kind{"packages.operators.coreos.com", "v1", "PackageManifest", "packagemanifests"}

	Bucket = Kind{"s3.services.k8s.aws", "v1alpha1", "Bucket", "buckets"}
)

// GVK is the kind with its group and version.
func (k Kind) GVK() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: k.group, Version: k.version, Kind: k.name}
}

// GVR is the resource by which objects of the kind are read and written.
func (k Kind) GVR() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: k.group, Version: k.version, Resource: k.plural}
}

// String is the name of the kind: "Pod".
func (k Kind) String() string { return k.name }
