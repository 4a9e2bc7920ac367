package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// How long what may pass by itself must last before it is called hopeless.
const (
	subscriptionGrace = 10 * time.Second // a cache behind the object
	resolutionGrace   = 30 * time.Second // a catalog that is starting
	versionGrace      = 60 * time.Second // OLM tries a failed installation again
	newRoleGrace      = 90 * time.Second // IAM spreads a new role while the pod crashes and backs off
	configGrace       = 60 * time.Second // OLM puts the Subscription's config into the Deployment
)

// Follow waits until the controller runs as its role. OLM's InstallPlan, the one
// that names our version, is approved; the version is installed; the Deployment
// available; its pods carry the identity. What others did to it meanwhile is put
// right on the way: an annotation that OLM dropped, a pod that the webhook missed.
//
// The errors are wait.Wait's: NotReady where it will not come to that, or not in
// time, and Refused for an InstallPlan that would install more than was asked for.
func (p *Plan) Follow(ctx context.Context, done *Done, observe func(health.State)) error {
	if p.Mode == Used {
		return followUsed(ctx, p, observe)
	}
	f := &follower{
		Plan: p, done: done, observe: observe, logs: map[string]string{},
		fresh: p.Role != nil && p.Role.Creates(),
	}
	watched := []kinds.Kind{kinds.Deployment, kinds.Pod, kinds.ServiceAccount}
	if p.Mode == ByOLM {
		watched = append(watched, kinds.Subscription, kinds.InstallPlan, kinds.ClusterServiceVersion)
	}
	_, err := wait.States(ctx, p.found.World.Conn.Dynamic, p.found.Namespace, watched, f.judge, observe)
	return err
}

// follower is one call of Follow. Its judge is called one at a time.
type follower struct {
	*Plan
	done      *Done
	observe   func(health.State)
	idle      idle                          // OLM, between the versions of an upgrade
	fresh     bool                          // IAM may not know the role everywhere yet
	logs      map[string]string             // why a pod crashes, by pod and restart
	missed    map[string]map[types.UID]bool // by template; see missedOf
	approvals map[string]int                // InstallPlans approved, by version
	restored  int                           // how often, the annotation
	dropped   string                        // resourceVersion that lacked it
}

func (f *follower) judge(ctx context.Context, seen wait.Seen) ([]health.State, error) {
	if f.Mode == ByHand {
		return f.helms(ctx, seen), nil
	}
	operator, version, err := f.operator(ctx, seen)
	operator.Kind, operator.Name = "OLM", "operator"
	if err != nil {
		return []health.State{operator}, err
	}
	waits, err := annotate(ctx, f, seen)
	if err != nil {
		return nil, err
	}
	if waits && operator.Ready {
		operator.Ready = false
		operator.Text += "; the annotation of its service account is being restored"
	}
	states := []health.State{operator}
	if version != nil {
		states = append(states, f.controllers(ctx, seen, *version, operator.Ready)...)
	}
	return states, nil
}

// controllers are the Deployments of a version. While OLM is at work those that it
// has still to make are left out, and of a version on the way to another one is
// said only what is wrong.
func (f *follower) controllers(ctx context.Context, seen wait.Seen, version olm.CSV, installed bool) []health.State {
	names := version.Deployments
	if !installed { // OLM has still to make them, and waits for them in turn
		names = those(names, func(name string) bool { return seen.Get(kinds.Deployment, name) != nil })
		if len(names) == 0 {
			return nil
		}
	}
	states := deployments(ctx, f, seen, names, version.Name)
	if f.Version.From != "" && version.Name != f.Version.CSV {
		states = slices.DeleteFunc(states, func(s health.State) bool { return s.Level == health.Info })
	}
	return states
}

// operator is how far OLM is, and the version, once OLM works on it.
func (f *follower) operator(ctx context.Context, seen wait.Seen) (health.State, *olm.CSV, error) {
	subscription := seen.Get(kinds.Subscription, operator.SubscriptionName)
	if subscription == nil {
		return health.Graced(health.State{
			Text: "its Subscription is not there", Hint: "somebody deleted it; run the same command again",
		}, subscriptionGrace), nil, nil
	}
	if state, is := replaced(subscription); is {
		return state, nil, nil
	}
	if f.Version.From != "" {
		return f.upgrading(ctx, seen, subscription)
	}
	csv := f.Version.CSV
	is := olm.InstallOf(subscription)
	if is.Installed != "" { // somebody else approved the next one meanwhile
		csv = is.Installed
	}
	object := seen.Get(kinds.ClusterServiceVersion, csv)
	if object == nil {
		state, err := f.approval(ctx, seen, subscription, csv)
		return state, nil, err
	}
	version := olm.CSVOf(object)
	switch {
	case !version.Succeeded():
		return unready(version), &version, nil
	case is.Installed != csv: // the next run starts from what the Subscription says
		return health.State{Text: VersionOf(csv) + " installed; waiting for OLM to update the Subscription"}, &version, nil
	}
	state, err := f.unmarked(ctx, subscription, VersionOf(csv)+" installed")
	return state, &version, err
}

// unready is a version that is not installed yet, or no longer.
func unready(version olm.CSV) health.State {
	failure, healing := version.Failure()
	switch {
	case failure == nil:
		return installing(version.Name)
	case version.Passing():
		return passing(installing(version.Name), health.State{Text: failure.Why, Hint: failure.Next, Code: "requirements"})
	}
	return failed(failure, healing)
}

func installing(csv string) health.State {
	return health.State{Text: "OLM is installing " + VersionOf(csv)}
}

// failed is a failure of OLM's as a State: one that it tries again may pass.
func failed(p *problem.Error, healing bool) health.State {
	state := health.State{Text: p.Why, Hint: p.Next}
	if healing {
		state.Code = "failed" // its words change from one try to the next
		return health.Graced(state, versionGrace)
	}
	return health.Graced(state, subscriptionGrace)
}

// noPlan says what OLM is at, while it has planned nothing for the version.
func (f *follower) noPlan(subscription *unstructured.Unstructured, plans []*unstructured.Unstructured, csv string) health.State {
	if trouble, is := olm.TroubleOf(subscription); is {
		return f.troubled(trouble)
	}
	for _, one := range plans {
		if other := olm.PlanOf(one); !other.Approved {
			return health.State{Text: fmt.Sprintf("waiting for OLM to plan %s; InstallPlan %s is for another version and is left alone", csv, other.Name)}
		}
	}
	return health.State{Text: "waiting for OLM to plan " + csv}
}

// troubled is what keeps OLM from planning a version.
func (f *follower) troubled(trouble olm.Trouble) health.State {
	state := health.State{Text: trouble.Why, Hint: trouble.Next, Level: health.Warn, Code: trouble.Condition}
	switch {
	case trouble.Passing:
		return passing(health.State{Text: "waiting for OLM to plan the operator"}, state)
	case trouble.Hopeless:
		return health.Graced(state, resolutionGrace)
	}
	return state
}

// mostApprovals is how many InstallPlans for one version a run approves. OLM
// carries out the first; where it does not, more approvals do not help.
const mostApprovals = 5

// What OLM is known to get over by itself is no warning at first, and final only
// much later.
const passingLimit = 2 * time.Minute

// passing is a State that is known to pass: said as now for olm.PassingQuiet, then as
// the warning late, and not called hopeless before passingLimit.
func passing(now, late health.State) health.State {
	late = health.Graced(late, passingLimit)
	now.Level, now.Code, now.After, now.Late = health.Info, late.Code, olm.PassingQuiet, &late
	return now
}

// approval waits for the InstallPlan that names the version, and approves it and
// no other, once OLM has written it to the end.
func (f *follower) approval(ctx context.Context, seen wait.Seen, subscription *unstructured.Unstructured, csv string) (health.State, error) {
	plans := seen.List(kinds.InstallPlan)
	plan, found := olm.PlanFor(plans, csv)
	if !found {
		return f.noPlan(subscription, plans, csv), nil
	}
	if failure, healing := plan.Failure(); failure != nil {
		return failed(failure, healing), nil
	}
	switch {
	// What is watched may be older than our own approval.
	case plan.Phase != "" && plan.Approved, plan.Phase != "" && slices.Contains(f.done.Approved, plan.Name):
		return installing(csv), nil
	case !plan.Waits():
		return unwritten(subscription, plan), nil
	case len(plan.Others(csv)) > 0:
		return health.State{}, plan.Refuse(csv)
	case f.approvals[csv] >= mostApprovals:
		return f.inVain(subscription, plan, csv), nil
	}
	if err := refuseShared(plan, subscription, seen.List(kinds.Subscription)); err != nil {
		return health.State{}, err
	}
	return f.approve(ctx, plan, csv)
}

// approve approves a plan that waits for it. One that was written to at the same
// time, or deleted, is looked at again when the watch shows it.
func (f *follower) approve(ctx context.Context, plan olm.InstallPlan, csv string) (health.State, error) {
	approved, err := olm.Approve(ctx, f.found.World.Conn.Dynamic, plan.Object)
	if apierrors.IsNotFound(err) || err == nil && !approved {
		return health.State{Text: "OLM is changing InstallPlan " + plan.Name + "; waiting for it"}, nil
	}
	if err != nil {
		if !apply.Refused(err) {
			f.done.Unsure = append(f.done.Unsure, "InstallPlan "+plan.Name)
		}
		return health.State{}, f.found.World.Conn.Translate(err)
	}
	if f.approvals == nil {
		f.approvals = map[string]int{}
	}
	f.approvals[csv]++
	f.done.Approved = append(f.done.Approved, plan.Name)
	return health.State{Text: "InstallPlan " + plan.Name + " approved: it names " + csv + " and nothing else"}, nil
}

// unwritten is a plan without a status. OLM writes it a moment after the plan; if
// that write failed, OLM leaves the plan as it is and creates another one.
func unwritten(subscription *unstructured.Unstructured, plan olm.InstallPlan) health.State {
	now := health.State{Text: "waiting for OLM to write the status of InstallPlan " + plan.Name}
	return passing(now, health.State{Text: now.Text + reported(subscription), Hint: plan.DescribeCommand(), Code: "unwritten"})
}

// reported is what OLM says about a Subscription, as the end of a sentence; "" if nothing.
func reported(subscription *unstructured.Unstructured) string {
	if trouble, is := olm.TroubleOf(subscription); is {
		return "; OLM reports: " + trouble.Why
	}
	return ""
}

// inVain ends a run whose approvals lead to nothing.
func (f *follower) inVain(subscription *unstructured.Unstructured, plan olm.InstallPlan, csv string) health.State {
	trouble, is := olm.TroubleOf(subscription)
	hint := advice.Command("oc get installplans.operators.coreos.com", "-n", f.found.Namespace) + "\n" + plan.DescribeCommand()
	if is {
		hint += "\n" + trouble.Next
	}
	return health.Failing(health.State{
		Text: fmt.Sprintf("%d InstallPlans for %s were approved, and OLM carried out none; %s is not approved", mostApprovals, csv, plan.Name) + reported(subscription),
		Hint: hint,
	})
}
