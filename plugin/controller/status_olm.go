package controller

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
)

// subscribed is how OLM is getting on with a controller that it installed.
func subscribed(l *statusLook, one *instance) *Subscribed {
	s := &Subscribed{Namespace: one.Namespace, Installed: VersionOf(one.csvName())}
	if one.csv.object != nil {
		s.Phase = olm.CSVOf(one.csv.object).Phase
	}
	if one.subscription == nil {
		s.Part = part(report.Warning, "its Subscription no longer exists: OLM does not upgrade it", advice.Command("oc get subscriptions.operators.coreos.com", "-n", one.Namespace))
		if l.olm.err != nil {
			s.Part = unseen(l.olm.err)
		}
		return s
	}
	is := olm.InstallOf(one.subscription)
	s.describe(is)
	s.Newest = newest(l, one.subscription, one.ours)
	if is.Pending() {
		s.Upgrade = upgradeOf(is, one.planned, one.ours)
	}
	if s.Part = progress(olm.Judge(one.subscription, one.csv.object, one.planned.planFor(is), l.now)); one.csv.err != nil {
		s.Part = unseen(one.csv.err)
	}
	return s
}

// describe takes over what the Subscription says.
func (s *Subscribed) describe(is olm.Install) {
	s.Namespace, s.Subscription = is.Subscription.GetNamespace(), is.Subscription.GetName()
	s.Channel, s.Catalog = is.Channel, strings.TrimPrefix(is.SourceNamespace+"/"+is.Source, "/")
	s.Approval, s.State, s.Installed = is.Approval, is.State, VersionOf(is.Installed)
}

// planFor is the InstallPlan for what a Subscription wants, nil if there is none.
func (p planned) planFor(is olm.Install) *olm.InstallPlan {
	if plan, found := olm.PlanFor(p.plans, is.Current); found {
		return &plan
	}
	return nil
}

// progress is the Part for how far OLM is.
func progress(j olm.Judgement) report.Part {
	marks := map[olm.Progress]report.Mark{olm.Installed: report.OK, olm.OnItsWay: report.Busy, olm.Doubtful: report.Warning, olm.Stuck: report.Wrong}
	return part(marks[j.Progress], j.Why, j.Next)
}

// newest is what the Subscription's own catalog has.
func newest(l *statusLook, subscription *unstructured.Unstructured, ours bool) *Newest {
	is := olm.InstallOf(subscription)
	offer, found := olm.From(l.olm.offers, is.Source, is.SourceNamespace)
	if l.olm.offersErr != nil || !found || offer.Head == "" {
		return &Newest{Part: part(report.Unknown, "the catalog could not be read", "")}
	}
	n := &Newest{Version: VersionOf(offer.Head), Part: part(report.OK, "installed", "")}
	if olm.Newer(VersionOf(is.Installed), n.Version) {
		n.Part = part(report.OK, "in the catalog, older than the installed version", "")
	}
	if olm.Newer(n.Version, VersionOf(is.Installed)) {
		n.Part = part(report.OK, "in the catalog", "")
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
		u.Part = part(report.Busy, "waiting for OLM to plan it", "")
		if p.err != nil {
			u.Part = unseen(p.err)
		}
		return u
	}
	u.InstallPlan, u.Approved, u.Others = plan.Name, plan.Approved, plan.Others(is.Current)
	failure, _ := plan.Failure()
	switch {
	case failure != nil:
		u.Part = part(report.Warning, failure.Why, failure.Next)
	case plan.Phase == "": // to approve it now would make OLM's own write fail
		u.Part = part(report.Busy, "waiting for OLM to write the status of its InstallPlan", "")
	case plan.Approved:
		u.Part = part(report.Busy, "approved, on its way", "")
	case len(u.Others) > 0:
		u.Part = part(report.Warning, "waits for approval; its InstallPlan would also install or upgrade "+some(u.Others), plan.ApproveCommand())
	case ours:
		u.Part = part(report.OK, "waits for approval", "oc ostoy-s3 controller install --upgrade")
	default:
		u.Part = part(report.OK, "waits for approval", plan.ApproveCommand())
	}
	return u
}

// judgeWaiting judges a Subscription of which no controller has come.
func judgeWaiting(l *statusLook, subscription *unstructured.Unstructured, p planned) Subscribed {
	s, is := Subscribed{}, olm.InstallOf(subscription)
	s.describe(is)
	if is.Installed != "" {
		s.Part = part(report.Warning, "it has installed "+is.Installed+", and its Deployment is not there",
			advice.Command("oc describe clusterserviceversions.operators.coreos.com", is.Installed, "-n", s.Namespace))
		return s
	}
	j := olm.Judge(subscription, nil, p.planFor(is), l.now)
	if j.Waits && apply.Ours(subscription) {
		j.Next = "oc ostoy-s3 controller install"
	}
	if s.Part = progress(j); j.Progress == olm.OnItsWay && p.err != nil {
		s.Part = unseen(p.err)
	}
	return s
}
