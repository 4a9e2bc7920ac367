package controller

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
)

// subscribed is how OLM is getting on with a controller that it installed.
func (l *statusLook) subscribed(one *instance) *Subscribed {
	s := &Subscribed{Namespace: one.Namespace, Installed: VersionOf(one.csvName())}
	switch {
	case one.subscription != nil:
		s.describe(one.subscription, l.now)
		s.Newest = l.newest(one.subscription, one.ours)
	case l.subscriptionsErr != nil:
		s.Part = unseen(l.subscriptionsErr)
	default:
		s.Part = part(status.Warning, "its Subscription no longer exists: OLM does not upgrade it", advice.Command("oc get subscriptions.operators.coreos.com", "-n", one.Namespace))
	}
	if one.csv != nil {
		s.Phase = olm.CSVOf(one.csv).Phase
	}
	if judged := one.judgeCSV(l.now); judged.Mark != "" && status.Worst(judged.Mark, s.Mark) != s.Mark || s.Mark == "" {
		s.Part = judged
	}
	if one.subscription != nil && olm.InstallOf(one.subscription).Pending() {
		s.Upgrade = upgradeOf(olm.InstallOf(one.subscription), one.planned, one.ours)
	}
	return s
}

// describe takes over what the Subscription says, and what keeps OLM from doing
// it.
func (s *Subscribed) describe(subscription *unstructured.Unstructured, now time.Time) {
	is := olm.InstallOf(subscription)
	s.Namespace, s.Subscription = subscription.GetNamespace(), subscription.GetName()
	s.Channel, s.Catalog = is.Channel, strings.TrimPrefix(is.SourceNamespace+"/"+is.Source, "/")
	s.Approval, s.State, s.Installed = is.Approval, is.State, VersionOf(is.Installed)
	trouble, troubled := olm.TroubleOf(subscription)
	switch {
	case !troubled, trouble.Passing && now.Sub(trouble.Since) < passingQuiet:
	case trouble.Hopeless && is.Installed == "":
		s.Part = part(status.Wrong, trouble.Why, trouble.Next)
	default:
		s.Part = part(status.Warning, trouble.Why, trouble.Next)
	}
}

// judgeCSV judges the version that is there.
func (one *instance) judgeCSV(now time.Time) status.Part {
	name := one.csvName()
	switch {
	case one.csvErr != nil:
		return unseen(one.csvErr)
	case name == "":
		return part(status.Busy, "OLM has not installed a version yet", "")
	case one.csv == nil:
		return part(status.Wrong, "its ClusterServiceVersion "+name+" is gone, and OLM does not bring it back",
			"oc ostoy-s3 controller uninstall, then install it again")
	}
	csv := olm.CSVOf(one.csv)
	failure, healing := csv.Failure()
	switch {
	case csv.Succeeded():
		return part(status.OK, "installed", "")
	case failure == nil, csv.Passing() && now.Sub(csv.Since) < passingQuiet:
		return part(status.Busy, strings.TrimSuffix(csv.Phase+": "+csv.Message, ": "), "")
	case healing && csv.Phase != "Failed":
		return part(status.Warning, failure.Why, failure.Next)
	}
	return part(status.Wrong, failure.Why, failure.Next)
}

// newest is what the Subscription's own catalog has.
func (l *statusLook) newest(subscription *unstructured.Unstructured, ours bool) *Newest {
	is := olm.InstallOf(subscription)
	offer, found := olm.From(l.offers, is.Source, is.SourceNamespace)
	if l.offersErr != nil || !found || offer.Head == "" {
		return &Newest{Part: part(status.Unknown, "the catalog could not be read", "")}
	}
	n := &Newest{Version: VersionOf(offer.Head), Part: part(status.OK, "installed", "")}
	if olm.Newer(VersionOf(is.Installed), n.Version) {
		n.Part = part(status.OK, "in the catalog, older than the installed version", "")
	}
	if olm.Newer(n.Version, VersionOf(is.Installed)) {
		n.Part = part(status.OK, "in the catalog", "")
		if ours && is.Installed != "" {
			n.Hint = "oc ostoy-s3 controller install --upgrade"
		}
	}
	return n
}

// upgradeOf is what OLM would go to next.
func upgradeOf(is olm.Install, p planned, ours bool) *Upgrade {
	u := &Upgrade{Version: VersionOf(is.Current)}
	plan, found := olm.PlanFor(p.plans, is.Current)
	if !found {
		u.Part = part(status.Busy, "waiting for OLM to plan it", "")
		if p.plansErr != nil {
			u.Part = unseen(p.plansErr)
		}
		return u
	}
	u.InstallPlan, u.Approved, u.Others = plan.Name, plan.Approved, plan.Others(is.Current)
	failure, _ := plan.Failure()
	switch {
	case failure != nil:
		u.Part = part(status.Warning, failure.Why, failure.Next)
	case plan.Phase == "": // to approve it now would make OLM's own write fail
		u.Part = part(status.Busy, "waiting for OLM to write the status of its InstallPlan", "")
	case plan.Approved:
		u.Part = part(status.Busy, "approved, on its way", "")
	case len(u.Others) > 0:
		u.Part = part(status.Warning, "waits for approval; its InstallPlan would also install or upgrade "+some(u.Others), plan.ApproveCommand())
	case ours:
		u.Part = part(status.OK, "waits for approval", "oc ostoy-s3 controller install --upgrade")
	default:
		u.Part = part(status.OK, "waits for approval", plan.ApproveCommand())
	}
	return u
}

// waiting judges a Subscription of which no controller has come.
func (l *statusLook) waiting(subscription *unstructured.Unstructured, p planned) Subscribed {
	s := Subscribed{}
	s.describe(subscription, l.now)
	is := olm.InstallOf(subscription)
	if s.Mark != "" {
		return s
	}
	plan, found := olm.PlanFor(p.plans, is.Current)
	var failure *problem.Error
	if found {
		failure, _ = plan.Failure()
	}
	switch {
	case is.Installed != "":
		s.Part = part(status.Warning, "it has installed "+is.Installed+", and its Deployment is not there",
			advice.Command("oc describe clusterserviceversions.operators.coreos.com", is.Installed, "-n", s.Namespace))
	case p.plansErr != nil:
		s.Part = unseen(p.plansErr)
	case !found:
		s.Part = part(status.Busy, "OLM has created no InstallPlan for it yet", advice.Command("oc describe subscriptions.operators.coreos.com", s.Subscription, "-n", s.Namespace))
	case failure != nil:
		s.Part = part(status.Wrong, failure.Why, failure.Next)
	case plan.Phase == "":
		s.Part = part(status.Busy, "waiting for OLM to write the status of its InstallPlan "+plan.Name, "")
	case plan.Approved:
		s.Part = part(status.Busy, "its InstallPlan "+plan.Name+" is approved, and not done yet", "")
	case apply.Ours(subscription):
		s.Part = part(status.Warning, "its InstallPlan "+plan.Name+" waits for approval", "oc ostoy-s3 controller install")
	default:
		s.Part = part(status.Warning, "its InstallPlan "+plan.Name+" waits for approval"+besides(plan.Others(is.Current)), plan.ApproveCommand())
	}
	return s
}

func besides(others []string) string {
	if len(others) == 0 {
		return ""
	}
	return ", and would also install or upgrade " + some(others)
}
