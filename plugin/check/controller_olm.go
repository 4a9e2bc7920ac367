package check

import (
	"cmp"
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
)

// olm looks at what the Operator Lifecycle Manager was asked for, and what it
// made of it, on clusters that have one.
func (c controllerLook) olm(ctx context.Context) Finding {
	served, err := c.Conn.Discovery(ctx)
	if err != nil {
		return Fail(err)
	}
	if !olm.Served(served) {
		return Leave("this cluster has no OLM")
	}
	subscriptions, err := c.List(ctx, kinds.Subscription.GVR(), "", "")
	switch {
	case apierrors.IsForbidden(err):
		return Unseen("list subscriptions.operators.coreos.com in all namespaces", "whether the operator's installation waits for something")
	case err != nil:
		return Fail(c.Conn.Translate(err))
	}
	var findings []Finding
	for _, one := range subscriptions {
		if olm.Package(one) == ack.Package {
			findings = append(findings, c.beside(ctx, one.GetNamespace(), c.subscription(ctx, one)))
		}
	}
	if len(findings) == 0 {
		return Leave("the operator is not installed by OLM")
	}
	return worstFirst(findings)
}

// beside lowers a refusal to a warning unless a controller that is proven is in the same
// namespace: on OpenShift every editor of a project can create a Subscription. Whether
// there is a controller is for controller-found to judge.
func (c controllerLook) beside(ctx context.Context, namespace string, finding Finding) Finding {
	if finding.Status != Failed || finding.Err != nil {
		return finding
	}
	found, err := c.Controllers(ctx)
	if err != nil || !slices.ContainsFunc(found.Proven, func(one ack.Controller) bool { return one.Namespace == namespace }) {
		finding.Status = Warned
	}
	return finding
}

// subscription judges one. An upgrade that waits for approval is nobody's
// trouble: who chose to approve by hand pinned the version.
func (c controllerLook) subscription(ctx context.Context, s *unstructured.Unstructured) Finding {
	what := "OLM has not installed the operator " + ack.Package + " in " + s.GetNamespace()
	install := olm.InstallOf(s)
	trouble, troubled := olm.TroubleOf(s)
	if install.Installed == "" {
		if troubled && !trouble.Passing {
			return Refuse(what, awserr.Redact(trouble.Why), trouble.Next)
		}
		return c.pending(ctx, install, what)
	}
	csv, err := c.Get(ctx, kinds.ClusterServiceVersion.GVR(), s.GetNamespace(), install.Installed)
	switch {
	case err != nil:
		return Fail(c.Conn.Translate(err))
	case csv == nil:
		return Refuse(what, "its ClusterServiceVersion "+install.Installed+" is gone, and OLM does not bring it back",
			advice.Command("oc delete", subscriptionOf(s)...)+", then subscribe again")
	}
	finding := progress(olm.JudgeVersion(olm.CSVOf(csv)), what)
	if finding.Status == Passed && troubled && !trouble.Passing {
		return Warn("OLM cannot upgrade the operator "+ack.Package+" in "+s.GetNamespace(), awserr.Redact(trouble.Why), trouble.Next)
	}
	return finding
}

// subscriptionOf names a Subscription in words of a command.
func subscriptionOf(s *unstructured.Unstructured) []string {
	return []string{"subscriptions.operators.coreos.com", s.GetName(), "-n", s.GetNamespace()}
}

// pending: a first installation that waits for approval waits indefinitely.
func (c controllerLook) pending(ctx context.Context, install olm.Install, what string) Finding {
	if install.Plan == "" {
		return progress(olm.JudgeFirst(install, nil), what)
	}
	object, err := c.Get(ctx, kinds.InstallPlan.GVR(), install.Subscription.GetNamespace(), install.Plan)
	if err != nil {
		return Fail(c.Conn.Translate(err))
	}
	if object == nil {
		return Warn(what, "its InstallPlan "+install.Plan+" is gone", advice.Command("oc describe", subscriptionOf(install.Subscription)...))
	}
	plan := olm.PlanOf(object)
	return progress(olm.JudgeFirst(install, &plan), what)
}

// progress is the finding for how far OLM is.
func progress(j olm.Judgement, what string) Finding {
	why, next := awserr.Redact(strings.TrimPrefix(j.What+": "+j.Why, ": ")), cmp.Or(j.Next, "oc ostoy-s3 check --wait")
	switch j.Progress {
	case olm.Installed:
		return Pass()
	case olm.Stuck:
		return Refuse(what, why, next)
	}
	return Warn(what, why, next)
}
