package controller

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
)

// instance is what was seen of one controller.
type instance struct {
	ack.Told
	ours bool

	envErr, podsErr error
	account         answer
	lease           answer
	leaseNamespace  string
	subscription    *unstructured.Unstructured // nil: OLM did not install it, or it is gone
	csv             answer
	planned         planned
	logs            []podLog // of each of its pods, in their order
}

// planned are the InstallPlans of a namespace.
type planned struct {
	plans []*unstructured.Unstructured
	err   error
}

// podLog is the end of a pod's log; of one that crashes, of the run before.
type podLog struct {
	text    string
	err     error
	crashes bool
}

// role is whom AWS takes the controller for, as far as the cluster knows.
func (one *instance) role() Role {
	r := Role{}
	switch from := one.CredentialsFrom(); from {
	case ack.FromAnnotation:
		r = one.annotated()
	case ack.FromPod:
		r = one.inPod()
	default:
		r = Role{From: From(from), Part: part(report.OK, "AWS says whose: the cluster does not know", "")}
	}
	r.ARN = awserr.Redact(r.ARN)
	return r
}

// inPod: token and role are in the Deployment, by the Subscription's config, the
// chart's values or somebody's hand.
func (one *instance) inPod() Role {
	r := Role{ARN: one.Env.Values["AWS_ROLE_ARN"], From: From(ack.FromPod)}
	if one.subscription != nil && namesRole(one.subscription) {
		r.From = FromSubscription
	}
	var other string
	for _, pod := range one.Pods {
		// What is not in the pod's own spec comes of a ConfigMap or Secret, as in the
		// Deployment.
		if has, set := pod.Variable(one.Container.Name, "AWS_ROLE_ARN"); !set || has == r.ARN {
			r.Pods++
		} else {
			other = has
		}
	}
	switch {
	case r.ARN == "":
		r.Part = part(report.Wrong, "it has a token, and nothing names its role (AWS_ROLE_ARN)", advice.Command("oc set env", append(one.Words(), "--list")...))
	case other != "":
		r.Part = part(report.Warning, "a pod is older than that, and has "+advice.RoleARN(other).String(), one.Restart())
	default:
		r.Part = one.inPods(r.Pods)
	}
	return r
}

// annotated: the service account's annotation says it, which the pod identity
// webhook puts into pods as they are made.
func (one *instance) annotated() Role {
	r := Role{From: From(ack.FromAnnotation)}
	if one.account.object != nil {
		r.ARN = one.account.object.GetAnnotations()[ack.RoleAnnotation]
	}
	inPod := ""
	for _, pod := range one.Pods {
		has, set := pod.Variable(one.Container.Name, "AWS_ROLE_ARN")
		if set {
			inPod = has
		}
		if set && (has == r.ARN || one.account.err != nil) {
			r.Pods++
		}
	}
	if one.account.err != nil {
		r.ARN, r.Part = inPod, unseen(one.account.err)
		return r
	}
	if fault, is := one.RoleFault(one.account.object); is {
		r.Part = faulty(fault)
		if r.ARN == "" {
			r.ARN, r.From = inPod, FromNode
		}
		if inPod != "" && r.From == FromNode {
			r.From = From(ack.FromAnnotation) // as long as that pod lives
		}
		return r
	}
	r.Part = one.inPods(r.Pods)
	return r
}

// inPods says how many pods carry the role.
func (one *instance) inPods(n int) report.Part {
	if one.podsErr != nil {
		return part(report.OK, "whether its pods have it cannot be seen", "")
	}
	return part(report.OK, fmt.Sprintf("in %d of %d pods", n, len(one.Pods)), "")
}

// region is where it works, and where two say different things about that.
func (one *instance) region() Region {
	r := Region{Name: one.Told.Region(), Settings: one.Env.Values["AWS_REGION"], InPods: one.PodRegion()}
	fault, differ := one.RegionFault()
	switch {
	case r.Name == "" && one.envErr != nil:
		r.Part = unseen(one.envErr)
	case r.Name == "":
		r.Part = part(report.Wrong, "nothing tells it a region, and it does not start without", "give AWS_REGION a value in the ConfigMap "+one.ConfigMap()+" in "+one.Namespace)
	case differ:
		r.Part = part(report.Warning, "its settings say "+advice.Region(r.Settings).String()+"; "+fault.Why, fault.Next)
	default:
		r.Part = part(report.OK, "", "")
	}
	r.Name, r.Settings, r.InPods = awserr.Redact(r.Name), awserr.Redact(r.Settings), awserr.Redact(r.InPods)
	return r
}

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
	switch installed := VersionOf(is.Installed); {
	case olm.Newer(installed, n.Version):
		n.Text = "in the catalog, older than the installed version"
	case olm.Newer(n.Version, installed):
		n.Text = "in the catalog"
		if ours && installed != "" {
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
		j.Next = advice.Command("oc ostoy-s3 controller install", advice.ControllerIn(s.Namespace)...)
	}
	if s.Part = progress(j); j.Progress == olm.OnItsWay && p.err != nil {
		s.Part = unseen(p.err)
	}
	return s
}

// overlap is wrong where two look at the same Buckets; else it has no mark.
func overlap(seen []*instance) report.Part {
	fault, is := ack.Overlap(each(seen, func(one *instance) ack.Told { return one.Told }))
	if !is {
		return report.Part{}
	}
	fault.Why = fault.What + ": " + fault.Why
	return faulty(fault)
}
