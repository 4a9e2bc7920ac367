package render

// Fact is one thing the manifests or the role depend on, and where it was
// learned. An unknown fact has an empty Value; Why then says what was tried.
type Fact struct {
	Value  string `json:"value"`
	Source string `json:"source,omitempty"`
	Why    string `json:"why,omitempty"`
}

// Known reports whether the fact has a value.
func (f Fact) Known() bool { return f.Value != "" }

// ListFact is a Fact that is a list.
type ListFact struct {
	Values []string `json:"values"`
	Source string   `json:"source,omitempty"`
	Why    string   `json:"why,omitempty"`
}

// Known reports whether the list was learned; a known list is never empty.
func (f ListFact) Known() bool { return len(f.Values) > 0 }

// Facts is everything the objects and the role depend on that is not a matter
// of taste. Whether something exists or is allowed is a check, never a Fact.
type Facts struct {
	// Namespace is the project OSToy lives in; its bucket is <namespace>-bucket.
	Namespace Fact `json:"namespace"`
	// ClusterID is OpenShift's cluster UUID, unknown for those who may not read it.
	ClusterID Fact `json:"clusterID"`
	// Platform is one of the Platform constants, or unknown.
	Platform Fact `json:"platform"`
	// Issuer is the service account issuer: https, no trailing slash, no port, no query.
	Issuer Fact `json:"issuer"`
	// Audience is the token audience the role trusts.
	Audience Fact `json:"audience"`
	// Account is the twelve digits of the AWS account.
	Account Fact `json:"accountID"`
	// Partition is aws, aws-us-gov, aws-cn or aws-eusc.
	Partition Fact `json:"partition"`
	// Region is where the bucket is made, for example us-east-2.
	Region Fact `json:"region"`
	// KubeVersion is the API server's version, for example v1.33.4.
	KubeVersion Fact `json:"kubeVersion"`
	// APIVersions lists what the cluster serves as group/version and
	// group/version/Kind, the form Helm's --api-versions takes.
	APIVersions ListFact `json:"apiVersions"`
}

// Platforms a cluster can be. They only choose defaults for those who give the
// platform by hand; no object and no right depends on them.
const (
	PlatformROSAHCP     = "rosa-hcp"
	PlatformROSAClassic = "rosa-classic"
	PlatformOpenShift   = "openshift"
	PlatformEKS         = "eks"
	PlatformKubernetes  = "kubernetes"
)

// DefaultAudience is what the role trusts unless told otherwise. It is the
// same in every partition, China included, and is projected into the pod
// explicitly, so that the webhook's own default never matters.
const DefaultAudience = "sts.amazonaws.com"
