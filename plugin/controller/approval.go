package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/wait"
)

// mostApprovals is how many InstallPlans for one version a run approves. OLM
// carries out the first; where it does not, more approvals do not help.
const mostApprovals = 5

// What OLM is known to get over by itself is no warning at first, and final only
// much later.
const (
	passingQuiet = 30 * time.Second
	passingLimit = 2 * time.Minute
)

// passing is a State that is known to pass: said as now for passingQuiet, then as
// the warning late, and not called hopeless before passingLimit.
func passing(now, late health.State) health.State {
	late = health.Graced(late, passingLimit)
	now.Level, now.Code, now.After, now.Late = health.Info, late.Code, passingQuiet, &late
	return now
}

// approval waits for the InstallPlan that names the version, and approves it and
// no other, once OLM has written it to the end.
func (f *follower) approval(ctx context.Context, seen wait.Seen, subscription *unstructured.Unstructured, csv string) (health.State, error) {
	plans := seen.List("InstallPlan")
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
	if err := refuseShared(plan, subscription, seen.List("Subscription")); err != nil {
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
	state := health.State{Text: now.Text, Hint: plan.DescribeCommand(), Code: "unwritten"}
	if trouble, is := olm.TroubleOf(subscription); is {
		state.Text += "; OLM reports: " + trouble.Why
	}
	return passing(now, state)
}

// inVain ends a run whose approvals lead to nothing.
func (f *follower) inVain(subscription *unstructured.Unstructured, plan olm.InstallPlan, csv string) health.State {
	state := health.State{
		Text: fmt.Sprintf("%d InstallPlans for %s were approved, and OLM carried out none; %s is not approved", mostApprovals, csv, plan.Name),
		Hint: advice.Command("oc get installplans.operators.coreos.com", "-n", f.found.Namespace) + "\n" + plan.DescribeCommand(),
	}
	if trouble, is := olm.TroubleOf(subscription); is {
		state.Text += "; OLM reports: " + trouble.Why
		state.Hint += "\n" + trouble.Next
	}
	return health.Failing(state)
}
