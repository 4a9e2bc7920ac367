package controller

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
)

// subscribed is how OLM is getting on with a controller that it installed.
func subscribed(l *statusLook, one *instance) *Subscribed {
	s := &Subscribed{Namespace: one.Namespace, Installed: VersionOf(one.csvName())}
	switch {
	case one.subscription != nil:
		s.describe(one.subscription, l.now)
		s.Newest = newest(l, one.subscription, one.ours)
	case l.olm.err != nil:
		s.Part = unseen(l.olm.err)
	default:
		s.Part = part(report.Warning, "its Subscription no longer exists: OLM does not upgrade it", advice.Command("oc get subscriptions.operators.coreos.com", "-n", one.Namespace))
	}
	if one.csv.object != nil {
		s.Phase = olm.CSVOf(one.csv.object).Phase
	}
	if judged := judgeCSV(one, l.now); judged.Mark != "" && report.Worst(judged.Mark, s.Mark) != s.Mark || s.Mark == "" {
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
		s.Part = part(report.Wrong, trouble.Why, trouble.Next)
	default:
		s.Part = part(report.Warning, trouble.Why, trouble.Next)
	}
}

// judgeCSV judges the version that is there.
func judgeCSV(one *instance, now time.Time) report.Part {
	name := one.csvName()
	switch {
	case one.csv.err != nil:
		return unseen(one.csv.err)
	case name == "":
		return part(report.Busy, "OLM has not installed a version yet", "")
	case one.csv.object == nil:
		return part(report.Wrong, "its ClusterServiceVersion "+name+" is gone, and OLM does not bring it back",
			"oc ostoy-s3 controller uninstall, then install it again")
	}
	csv := olm.CSVOf(one.csv.object)
	j := olm.JudgeVersion(csv)
	if j.Progress == olm.OnItsWay || csv.Passing() && now.Sub(csv.Since) < passingQuiet {
		return part(report.Busy, strings.TrimSuffix(csv.Phase+": "+csv.Message, ": "), "")
	}
	return progress(j)
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
	s := Subscribed{}
	s.describe(subscription, l.now)
	is := olm.InstallOf(subscription)
	if s.Mark != "" {
		return s
	}
	plan, found := olm.PlanFor(p.plans, is.Current)
	j := olm.JudgeFirst(is, nil)
	if found {
		j = olm.JudgeFirst(is, &plan)
	}
	if j.Waits && apply.Ours(subscription) {
		j.Next = "oc ostoy-s3 controller install"
	}
	switch {
	case is.Installed != "":
		s.Part = part(report.Warning, "it has installed "+is.Installed+", and its Deployment is not there",
			advice.Command("oc describe clusterserviceversions.operators.coreos.com", is.Installed, "-n", s.Namespace))
	case p.err != nil:
		s.Part = unseen(p.err)
	default:
		s.Part = progress(j)
	}
	return s
}
