package controller

import (
	"context"
	"fmt"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Report is how the ACK S3 controllers of a cluster are. Its texts are fit to be
// shown: they quote logs, conditions and annotations without secrets.
type Report struct {
	// Mark is the worst of all there is in it; what is unknown does not count.
	Mark report.Mark `json:"state"`
	// Only is the one namespace that was looked into by a user who may not list
	// Deployments in all of them; "" for one who may.
	Only        string     `json:"onlyNamespace,omitempty"`
	Controllers []Instance `json:"controllers"` // sorted by namespace and name, ours first
	// Unproven are the Deployments that look like one and are not judged.
	Unproven []Unproven `json:"unproven,omitempty"`
	// Overlap is Wrong where several look at the same Buckets; else it has no Mark.
	Overlap report.Part `json:"overlap,omitzero"`
	// Waiting are Subscriptions to the operator of which no controller has come.
	Waiting []Subscribed `json:"subscriptionsWithoutController,omitempty"`
	Kind    report.Part  `json:"bucketKind"` // whether the cluster knows Buckets
	// Policy is the admission policy that restricts a Bucket to its project.
	Policy Policy `json:"bucketPolicy"`
	// Namespaces are those in which nobody but cluster admins is to have permissions.
	Namespaces []TrustedNamespace `json:"controllerNamespaces,omitempty"`
	Buckets    Buckets            `json:"buckets"`
}

// Policy is the admission policy for Buckets.
type Policy struct {
	report.Part
	State operator.PolicyState `json:"policyState"`
	// Exempt are the user names of the service accounts that it does not check.
	Exempt []string `json:"exempt,omitempty"`
}

// Instance is one controller.
type Instance struct {
	Mark       report.Mark   `json:"state"` // the worst of what follows
	Namespace  string        `json:"namespace"`
	Deployment string        `json:"deployment"`
	Ours       bool          `json:"ours"`      // installed by this tool
	Installer  ack.Installer `json:"installer"` // OLM, Helm or manifests
	Version    string        `json:"version,omitempty"`
	Image      string        `json:"image"`
	OLM        *Subscribed   `json:"olm,omitempty"` // where OLM installed it
	Role       Role          `json:"role"`
	Region     Region        `json:"region"`
	Watches    []string      `json:"watches"` // namespaces; none is all of them
	Workload   Workload      `json:"workload"`
	Pods       []Pod         `json:"pods"`
	PodsSeen   report.Part   `json:"podsSeen"` // Unknown where pods may not be listed
	Leader     Leader        `json:"leader"`
	Settings   Settings      `json:"settings"`
	Errors     Errors        `json:"errors"`
	// Proof is Unknown if it is managed by ostoy-s3 and you are not allowed to ask whether
	// it is a controller; else it has no Mark.
	Proof report.Part `json:"proof,omitzero"`
}

// String names its Deployment as an argument of oc and kubectl.
func (i Instance) String() string { return "deployment/" + i.Deployment + " -n " + i.Namespace }

// Subscribed is what OLM was asked for, and what it made of it.
type Subscribed struct {
	report.Part
	Namespace    string   `json:"namespace"`
	Subscription string   `json:"subscription,omitempty"` // "" where it is gone
	Channel      string   `json:"channel,omitempty"`
	Catalog      string   `json:"catalog,omitempty"`  // NAMESPACE/NAME
	Approval     string   `json:"approval,omitempty"` // Automatic or Manual
	State        string   `json:"subscriptionState,omitempty"`
	Installed    string   `json:"installed,omitempty"` // version
	Phase        string   `json:"phase,omitempty"`     // of its ClusterServiceVersion
	Upgrade      *Upgrade `json:"upgrade,omitempty"`   // that waits, or is under way
	Newest       *Newest  `json:"newest,omitempty"`    // in the catalog; nil without a Subscription
}

// Newest is the head of the Subscription's channel in its catalog. OLM plans one
// version after the other, and may have planned none although there is a newer one.
type Newest struct {
	report.Part
	Version string `json:"version,omitempty"` // "" where the catalog could not be read
}

// Upgrade is a version that OLM would go to next. That it waits is no trouble:
// who approves by hand has pinned the version.
type Upgrade struct {
	report.Part
	Version     string   `json:"version"`
	InstallPlan string   `json:"installPlan,omitempty"`
	Approved    bool     `json:"approved"`
	Others      []string `json:"others,omitempty"` // what the plan would install besides
}

// From is how a controller gets its credentials.
type From string

// The ways, besides those of ack.Source.
const (
	FromSubscription From = "Subscription" // its config, which OLM puts into the pod spec
	FromNode         From = "node"         // nothing else gives any
)

// Role is whom AWS takes the controller for.
type Role struct {
	report.Part
	ARN  string `json:"arn,omitempty"` // "" where it has none, or keys
	From From   `json:"from,omitempty"`
	Pods int    `json:"podsWithIt"` // of those that are to live
}

// Region is where the controller works for Buckets that name no region.
type Region struct {
	report.Part
	Name     string `json:"name,omitempty"`
	Settings string `json:"settings,omitempty"` // what Deployment and ConfigMaps say
	InPods   string `json:"inPods,omitempty"`   // what the pods' own spec says
}

// Workload is the Deployment.
type Workload struct {
	report.Part
	Ready int32 `json:"ready"` // pods
	Want  int32 `json:"want"`
}

// Pod is a pod of the controller.
type Pod struct {
	report.Part
	Name     string    `json:"name"`
	Ready    bool      `json:"ready"`
	Restarts int32     `json:"restarts"`
	Since    time.Time `json:"since,omitzero"`
	RoleARN  string    `json:"roleARN,omitempty"` // in its own spec
}

// Leader is the pod that does the work, of the Lease that all want.
type Leader struct {
	report.Part
	Holder  string    `json:"holder,omitempty"` // pod
	Lease   string    `json:"lease,omitempty"`  // NAMESPACE/NAME
	Renewed time.Time `json:"renewed,omitzero"`
}

// Settings is what the controller is told, where it is wrong.
type Settings struct {
	report.Part
	Flaws []Flaw `json:"flaws,omitempty"`
}

// Flaw is one thing wrong with them.
type Flaw struct {
	Setting string `json:"setting"`
	Why     string `json:"why"`
}

// Errors are those in the last 200 lines of the log of each pod.
type Errors struct {
	report.Part
	Count int     `json:"count"`
	Said  []Error `json:"said,omitempty"` // the latest first
}

// Error is what a log says, once however often it does.
type Error struct {
	Text    string    `json:"text"`
	Why     string    `json:"why,omitempty"` // where the cause is known
	Next    string    `json:"hint,omitempty"`
	Objects []string  `json:"objects,omitempty"` // NAMESPACE/NAME
	Count   int       `json:"count"`
	Last    time.Time `json:"last,omitzero"`
}

// Buckets are the Bucket objects of the cluster, by state.
type Buckets struct {
	report.Part
	Total    int `json:"total"`
	Synced   int `json:"synced"`
	OnTheWay int `json:"onTheWay"`
	Failing  int `json:"failing"`
	Deleting int `json:"deleting"`
	// NotSeen has neither finalizer nor status: no controller has looked at it.
	NotSeen int `json:"notSeen"`
	// Of are those that fail, are being deleted or were not seen.
	Of []BucketStatus `json:"of,omitempty"`
	// OfOtherProjects are Buckets whose S3 bucket is not their project's by its name.
	OfOtherProjects []string `json:"ofOtherProjects,omitempty"`
	// Searched is how many projects were gone through, for a user who may not list
	// Buckets in all of them; 0 for one who may.
	Searched int `json:"searchedProjects,omitempty"`
	// Unreadable is how many more projects may not be read.
	Unreadable int `json:"unreadableProjects,omitempty"`
}

// BucketStatus is one of them.
type BucketStatus struct {
	report.Part
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Finalizer bool   `json:"finalizer"` // the controller has taken charge of it
}

// Status looks at the controllers of the cluster, whoever installed them, and at
// the Buckets they have. World's namespace is that of ours, and the only one that
// is looked into for a user who may not list Deployments everywhere. What else
// may not be looked at is Unknown in the Report, with the right that it takes.
//
// The error is a *problem.Error of the kind Failed where no Deployment may be
// listed at all, or the server does not answer. Now is the time that ages are
// judged by.
func Status(ctx context.Context, w *live.World, now time.Time) (*Report, error) {
	l := &statusLook{World: w, now: now}
	if err := l.everywhere(ctx); err != nil {
		return nil, w.Conn.Translate(err)
	}
	seen := l.each(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return l.report(seen), nil
}

// Missing is the error where there is no controller: a refusal that says what is
// left of one, and what waits for one. Nil: there is one.
func (r *Report) Missing() error {
	if len(r.Controllers) > 0 {
		return nil
	}
	if p := r.unverified(); p != nil {
		return p
	}
	p := problem.Refuse("no ACK S3 controller is installed in this cluster",
		"no Deployment matches by labels, image or service account",
		advice.NewController(""))
	if r.Only != "" {
		p.Kind = problem.Failed
		p.What = "no ACK S3 controller is in namespace " + r.Only + ", and you may not look into the others"
		p.Why = "not allowed: needs list on deployments.apps in all namespaces"
		p.Next = "-n with the namespace it is in; or ask a cluster admin"
	}
	p.Why += r.lookalikes()
	for _, one := range r.Waiting {
		p.Why += "\nSubscription " + one.Subscription + " in " + one.Namespace + " asks OLM for it: " + one.Text
		if one.Hint != "" {
			p.Next += "\n" + one.Hint
		}
	}
	if r.Kind.Mark == report.OK {
		p.Why += "\nthe cluster knows Buckets: " + Definition + " is there, of an earlier one or applied by hand"
	}
	p.Why += r.unrestricted()
	if unsynced := r.Buckets.Total - r.Buckets.Synced; unsynced > 0 {
		p.Why += fmt.Sprintf("\nBuckets that nobody looks after: %d", unsynced)
	}
	if r.Buckets.Synced > 0 {
		p.Why += fmt.Sprintf("\nBuckets whose status is synced: %d; a controller outside this cluster may manage them (an EKS capability, ACK in another cluster), or an earlier one did; "+
			"oc ostoy-s3 check -n PROJECT asks S3", r.Buckets.Synced)
		p.Next = "if a controller outside this cluster manages the Buckets, do not install another one; if none does: " + p.Next
	}
	held := those(r.Buckets.Of, func(b BucketStatus) bool { return b.Mark == report.Wrong && b.Finalizer })
	if names := each(held, func(b BucketStatus) string { return b.Namespace + "/" + b.Name }); len(names) > 0 {
		p.Why += "\nwaiting for a controller to let go of them, by finalizer " + ack.Finalizer + ": " + some(names)
	}
	return p
}

// some names the first few of many, in one line.
func some(names []string) string { return plain.Line(phrase.Few(names)) }
