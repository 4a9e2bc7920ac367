package check

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
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
	subscriptions, err := c.List(ctx, olm.Subscriptions(), "", "")
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
	csv, err := c.Get(ctx, olm.ServiceVersions(), s.GetNamespace(), install.Installed)
	switch {
	case err != nil:
		return Fail(c.Conn.Translate(err))
	case csv == nil:
		return Refuse(what, "its ClusterServiceVersion "+install.Installed+" is gone, and OLM does not bring it back",
			advice.Command("oc delete", subscriptionOf(s)...)+", then subscribe again")
	}
	finding := judgeCSV(olm.CSVOf(csv), what)
	if finding.Status == Passed && troubled && !trouble.Passing {
		return Warn("OLM cannot upgrade the operator "+ack.Package+" in "+s.GetNamespace(), awserr.Redact(trouble.Why), trouble.Next)
	}
	return finding
}

// subscriptionOf names a Subscription in words of a command.
func subscriptionOf(s *unstructured.Unstructured) []string {
	return []string{"subscriptions.operators.coreos.com", s.GetName(), "-n", s.GetNamespace()}
}

// pending: a first installation that is approved by hand waits for ever.
func (c controllerLook) pending(ctx context.Context, install olm.Install, what string) Finding {
	describe := advice.Command("oc describe", subscriptionOf(install.Subscription)...)
	if install.Plan == "" {
		return Warn(what, "it has no InstallPlan yet: OLM is still looking for the operator in its catalogs", describe)
	}
	object, err := c.Get(ctx, olm.InstallPlans(), install.Subscription.GetNamespace(), install.Plan)
	if err != nil {
		return Fail(c.Conn.Translate(err))
	}
	if object == nil {
		return Warn(what, "its InstallPlan "+install.Plan+" is gone", describe)
	}
	return judgePlan(olm.PlanOf(object), install.Current, what)
}

// judgePlan judges the plan of a first installation of csv.
func judgePlan(plan olm.InstallPlan, csv, what string) Finding {
	if failure, _ := plan.Failure(); failure != nil {
		return Refuse(what, failure.What+": "+awserr.Redact(failure.Why), failure.Next)
	}
	if plan.Waits() {
		why := "its InstallPlan " + plan.Name + " waits for somebody to approve it (installPlanApproval: Manual)"
		if others := plan.Others(csv); csv != "" && len(others) > 0 {
			why += "; it would install or upgrade " + plain.Line(strings.Join(others, ", ")) + " as well"
		}
		return Refuse(what, why, plan.ApproveCommand())
	}
	if plan.Phase == "" || !plan.Approved { // to approve it now would make OLM's own write fail
		return Warn(what, "OLM has not finished writing its InstallPlan "+plan.Name+" yet", "oc ostoy-s3 check --wait")
	}
	return Warn(what, "its InstallPlan "+plan.Name+" is approved, and not done yet", "oc ostoy-s3 check --wait")
}

// judgeCSV tells by its phase; reason and message are OLM's.
func judgeCSV(csv olm.CSV, what string) Finding {
	failure, healing := csv.Failure()
	switch {
	case csv.Succeeded():
		return Pass()
	case failure == nil:
		return Warn(what, csv.Name+" is "+csv.Phase+": "+awserr.Redact(csv.Reason+", "+csv.Message),
			advice.Command("oc describe clusterserviceversions.operators.coreos.com", csv.Name, "-n", csv.Namespace))
	case healing && csv.Phase != "Failed":
		return Warn(what, failure.What+": "+awserr.Redact(failure.Why), failure.Next)
	}
	return Refuse(what, failure.What+": "+awserr.Redact(failure.Why), failure.Next)
}
