package status

import (
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/audit"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
)

// Report is one install as it is.
type Report struct {
	Namespace string `json:"namespace"`
	// Mark is the worst of the parts; what is unknown does not count.
	Mark           report.Mark    `json:"state"`
	Installed      Installed      `json:"installed"`
	Bucket         Bucket         `json:"bucket"`
	Role           Role           `json:"role"`
	ServiceAccount ServiceAccount `json:"serviceAccount"`
	Workloads      []Workload     `json:"workloads"`
	Pods           []Pod          `json:"pods"`
	PodsPart       report.Part    `json:"podsSeen"` // Unknown where pods may not be listed
	Volume         report.Part    `json:"volume"`
	Route          Route          `json:"route"`
	Access         string         `json:"access"` // who reaches what through the app, as install says it
	Drift          Drift          `json:"drift"`
	Audit          *audit.Report  `json:"audit,omitempty"`
}

// Installed is what is known of how the install came about.
type Installed struct {
	By      string    `json:"by"`      // ostoy-s3, or Argo CD, Flux, Helm; "" if nobody tells
	Version string    `json:"version"` // of the tool that last wrote the inventory
	Since   time.Time `json:"since,omitzero"`
	// Recorded is when an install last changed what is on record.
	Recorded  time.Time    `json:"recorded,omitzero"`
	Inventory string       `json:"inventory"` // found, missing, or somebody else's
	Record    apply.Record `json:"record,omitzero"`
	Objects   []apply.Ref  `json:"objects,omitempty"`
}

// Bucket is the ACK object and the bucket in S3.
type Bucket struct {
	report.Part
	Name       string           `json:"name"`
	Region     string           `json:"region,omitempty"`
	S3         bucket.Kind      `json:"s3,omitempty"` // whose it is, "" if not asked
	Contents   *bucket.Contents `json:"contents,omitempty"`
	More       bool             `json:"moreContents,omitempty"` // Contents stopped counting
	Uncounted  string           `json:"uncounted,omitempty"`    // why there are no Contents
	Protection Protection       `json:"protection"`
}

// Protection is how the bucket's data is guarded.
type Protection struct {
	PublicAccess   Setting `json:"publicAccess"`
	TLS            Setting `json:"tls"`
	Encryption     Setting `json:"encryption"`
	DeletionPolicy Setting `json:"deletionPolicy"`
}

// Setting is one of them. From is the source: S3, or the Bucket resource if S3 may not be
// asked; empty if nothing is known, because neither can be read.
type Setting struct {
	Text string `json:"text"`
	Good bool   `json:"good"`
	From string `json:"from"`
}

// Role is the IAM role.
type Role struct {
	report.Part
	Exists         bool              `json:"exists"` // false also where it is Unknown
	ARN            string            `json:"arn"`
	Trust          report.Part       `json:"trust"`
	Policy         report.Part       `json:"policy"`
	LastUsed       time.Time         `json:"lastUsed,omitzero"`
	LastUsedRegion string            `json:"lastUsedRegion,omitempty"`
	Boundary       string            `json:"permissionsBoundary,omitempty"`
	Attached       []string          `json:"attachedPolicies,omitempty"`
	Tags           map[string]string `json:"tags,omitempty"`
	Notes          []string          `json:"notes,omitempty"`
}

// ServiceAccount is the one the role trusts.
type ServiceAccount struct {
	report.Part
	Name    string `json:"name"`
	RoleARN string `json:"roleARN,omitempty"` // of its annotation
}

// Workload is a Deployment.
type Workload struct {
	report.Part
	Name  string `json:"name"`
	Ready int64  `json:"ready"` // pods
	Want  int64  `json:"want"`
}

// Pod is a pod of the app.
type Pod struct {
	report.Part
	Name       string    `json:"name"`
	Deployment string    `json:"deployment"`
	Ready      bool      `json:"ready"`
	Restarts   int64     `json:"restarts"`
	Since      time.Time `json:"since,omitzero"`
	Node       string    `json:"node,omitempty"`
	// NeedsIdentity says that it is one of those that call AWS. Identity is the
	// role it has then, Missing what it lacks of its identity.
	NeedsIdentity bool   `json:"needsIdentity"`
	Identity      string `json:"identity,omitempty"`
	Missing       string `json:"missing,omitempty"`
	another       bool   // it has an identity, which is not the install's
}

// Route is how the app is reached: an OpenShift Route or an Ingress.
type Route struct {
	report.Part
	Kind string `json:"kind,omitempty"`
	URL  string `json:"url,omitempty"`
}

// Drift is what install, called as status was, would change.
type Drift struct {
	report.Part
	Cluster []ObjectDrift `json:"cluster"`
	IAM     []RoleDrift   `json:"iam"`
	// Unseen names what could not be compared, and why.
	Unseen []string `json:"unseen,omitempty"`
}

// ObjectDrift is one object.
type ObjectDrift struct {
	Object  string              `json:"object"` // Deployment ostoy-frontend
	Action  apply.Action        `json:"action"`
	Changes []apply.FieldChange `json:"changes,omitempty"` // before: as it is
	Why     string              `json:"why,omitempty"`
}

// RoleDrift is one part of the role.
type RoleDrift struct {
	What   string `json:"what"`   // trust policy
	Reason string `json:"reason"` // what it does instead
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// parts are what the report consists of. Its worst is the state of the install.
func (r Report) parts() []report.Part {
	parts := []report.Part{r.Bucket.Part, r.Role.Part, r.ServiceAccount.Part, r.Volume, r.Route.Part}
	for _, w := range r.Workloads {
		parts = append(parts, w.Part)
	}
	for _, p := range r.Pods {
		parts = append(parts, p.Part)
	}
	return append(parts, r.Drift.Part)
}
