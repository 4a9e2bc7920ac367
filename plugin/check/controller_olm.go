package check

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
)

// olm looks at what the Operator Lifecycle Manager was asked for, and what it
// made of it, on clusters that have one.
func (c controllerLook) olm(ctx context.Context) Finding {
	served, err := c.Conn.Discovery(ctx)
	if err != nil {
		return Fail(err)
	}
	if !served.Serves("operators.coreos.com/v1alpha1", "Subscription") {
		return Leave("this cluster has no OLM")
	}
	subscriptions, err := c.List(ctx, live.OLM("subscriptions"), "", "")
	switch {
	case apierrors.IsForbidden(err):
		return Unseen("list subscriptions.operators.coreos.com in all namespaces", "whether the operator's installation waits for something")
	case err != nil:
		return Fail(c.Conn.Translate(err))
	}
	finding := Leave("the operator is not installed by OLM")
	for _, one := range subscriptions {
		if health.Text(one.Object, "spec", "name") != ack.Package {
			continue
		}
		if finding = c.subscription(ctx, one); finding.Status == Failed || finding.Status == Warned {
			return finding
		}
	}
	return finding
}

// subscription judges one. An upgrade that waits for approval is nobody's
// trouble: who chose to approve by hand pinned the version.
func (c controllerLook) subscription(ctx context.Context, s *unstructured.Unstructured) Finding {
	what := "OLM has not installed the operator " + ack.Package + " in " + s.GetNamespace()
	subscription := "subscriptions.operators.coreos.com " + s.GetName() + " -n " + s.GetNamespace()
	for _, condition := range health.Maps(s.Object, "status", "conditions") {
		if kind := condition["type"]; (kind == "ResolutionFailed" || kind == "CatalogSourcesUnhealthy" || kind == "BundleUnpackFailed") && condition["status"] == "True" {
			return Refuse(what, awserr.Redact(health.Text(condition, "message")), "oc describe "+subscription)
		}
	}
	installed := health.Text(s.Object, "status", "installedCSV")
	if installed == "" {
		return c.pending(ctx, s, what, subscription)
	}
	csv, err := c.Get(ctx, live.OLM("clusterserviceversions"), s.GetNamespace(), installed)
	switch {
	case err != nil:
		return Fail(c.Conn.Translate(err))
	case csv == nil:
		return Refuse(what, "its ClusterServiceVersion "+installed+" is gone, and OLM does not bring it back",
			"oc delete "+subscription+", then subscribe again")
	}
	return judgeCSV(csv, what)
}

// pending: a first installation that is approved by hand waits for ever.
func (c controllerLook) pending(ctx context.Context, s *unstructured.Unstructured, what, subscription string) Finding {
	name := health.Text(s.Object, "status", "installPlanRef", "name")
	if name == "" {
		return Warn(what, "it has no InstallPlan yet: OLM is still looking for the operator in its catalogs", "oc describe "+subscription)
	}
	plan, err := c.Get(ctx, live.OLM("installplans"), s.GetNamespace(), name)
	if err != nil {
		return Fail(c.Conn.Translate(err))
	}
	if plan == nil {
		return Warn(what, "its InstallPlan "+name+" is gone", "oc describe "+subscription)
	}
	if approved, _, _ := unstructured.NestedBool(plan.Object, "spec", "approved"); !approved {
		return Refuse(what, "its InstallPlan "+name+" waits for somebody to approve it (installPlanApproval: Manual)",
			"oc patch installplans.operators.coreos.com "+name+" -n "+s.GetNamespace()+` --type=merge -p '{"spec":{"approved":true}}'`)
	}
	for _, condition := range health.Maps(plan.Object, "status", "conditions") {
		if condition["type"] == "Installed" && condition["status"] == "False" {
			return Refuse(what, awserr.Redact(health.Text(condition, "message")), "oc describe installplans.operators.coreos.com "+name+" -n "+s.GetNamespace())
		}
	}
	return Warn(what, "its InstallPlan "+name+" is approved, and not done yet", "oc ostoy-s3 check --wait")
}

// judgeCSV tells by its phase; reason and message are OLM's.
func judgeCSV(csv *unstructured.Unstructured, what string) Finding {
	phase, reason := health.Text(csv.Object, "status", "phase"), health.Text(csv.Object, "status", "reason")
	why := csv.GetName() + " is " + phase + ": " + awserr.Redact(reason+", "+health.Text(csv.Object, "status", "message"))
	show := "oc describe clusterserviceversions.operators.coreos.com " + csv.GetName() + " -n " + csv.GetNamespace()
	switch reason {
	case "NoOperatorGroup":
		show = "make an OperatorGroup in " + csv.GetNamespace() + ": OLM installs nothing in a namespace without one"
	case "TooManyOperatorGroups":
		show = "oc get operatorgroups -n " + csv.GetNamespace() + "; keep one"
	}
	switch phase {
	case "Succeeded":
		return Pass()
	case "Failed":
		return Refuse(what, why, show)
	}
	return Warn(what, why, show)
}
