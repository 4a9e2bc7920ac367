package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/wait"
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

// Follow waits until the controller runs as its role: OLM's InstallPlan, the one
// that names our version, is approved; the version is installed; the Deployment
// available; its pods carry the identity. What others did to it meanwhile is put
// right on the way: an annotation that OLM dropped, a pod that the webhook missed.
//
// The errors are wait.Wait's: NotReady where it will not come to that, or not in
// time, and Refused for an InstallPlan that would install more than was asked for.
func (p *Plan) Follow(ctx context.Context, done *Done, observe func(health.State)) error {
	if p.Mode == Used {
		return p.followUsed(ctx, observe)
	}
	if !p.recorded() {
		return nil
	}
	f := &follower{
		Plan: p, done: done, observe: observe, logs: map[string]string{},
		fresh: p.Role != nil && p.Role.Creates(),
	}
	kinds := []string{"Deployment", "Pod", "ServiceAccount"}
	if p.Mode == ByOLM {
		kinds = append(kinds, "Subscription", "InstallPlan", "ClusterServiceVersion")
	} else {
		f.fromChart = p.chartDeployments()
	}
	_, err := wait.States(ctx, p.found.World.Conn.Dynamic, p.found.Namespace, kinds, f.judge, observe)
	return err
}

// follower is one call of Follow. Its judge is called one at a time.
type follower struct {
	*Plan
	done    *Done
	observe func(health.State)
	// fromChart are the Deployments that a chart brings; OLM's version names its own.
	fromChart []string
	fresh     bool              // IAM may not know the role everywhere yet
	logs      map[string]string // why a pod crashes, by pod and restart
	restarts  map[string]bool   // templates whose pods were deleted once
	putBack   int               // how often, the annotation
	dropped   string            // resourceVersion that lacked it
}

func (f *follower) judge(ctx context.Context, seen wait.Seen) ([]health.State, error) {
	if f.Mode == ByChart {
		return f.deployments(ctx, seen, f.fromChart)
	}
	operator, version, err := f.operator(ctx, seen)
	operator.Kind, operator.Name = "OLM", "operator"
	if err != nil || version == nil {
		return []health.State{operator}, err
	}
	if err := f.annotate(ctx, seen); err != nil {
		return nil, err
	}
	names := version.Deployments
	if !operator.Ready { // OLM has still to make them, and waits for them in turn
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return seen.Get("Deployment", name) == nil })
		if len(names) == 0 {
			return []health.State{operator}, nil
		}
	}
	controllers, err := f.deployments(ctx, seen, names)
	return append([]health.State{operator}, controllers...), err
}

func (p *Plan) chartDeployments() []string {
	var names []string
	for _, object := range p.set {
		if ack.IsController(object) {
			names = append(names, object.GetName())
		}
	}
	return names
}

// operator is how far OLM is, and the version, once OLM works on it.
func (f *follower) operator(ctx context.Context, seen wait.Seen) (health.State, *olm.CSV, error) {
	subscription := seen.Get("Subscription", operator.SubscriptionName)
	if subscription == nil {
		return health.Graced(health.State{
			Text: "its Subscription is not there", Hint: "somebody deleted it; run the same command again",
		}, subscriptionGrace), nil, nil
	}
	if state, is := replaced(subscription); is {
		return state, nil, nil
	}
	csv := f.CSV
	is := olm.InstallOf(subscription)
	if f.From == "" && is.Installed != "" { // somebody else approved the next one meanwhile
		csv = is.Installed
	}
	object := seen.Get("ClusterServiceVersion", csv)
	if object == nil || is.Installed != csv && f.From != "" {
		state, err := f.approval(ctx, seen, subscription, csv)
		if object == nil || err != nil {
			return state, nil, err
		}
	}
	version := olm.CSVOf(object)
	if version.Succeeded() && is.Installed != csv { // the next run goes by what the Subscription says
		return health.State{Text: VersionOf(csv) + " installed, OLM is writing it down"}, &version, nil
	}
	if version.Succeeded() {
		return health.State{Text: VersionOf(csv) + " installed", Ready: true}, &version, nil
	}
	if failure, healing := version.Failure(); failure != nil {
		return failed(failure, healing), &version, nil
	}
	return installing(csv), &version, nil
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

// approval waits for the InstallPlan that names the version, and approves it and
// no other.
func (f *follower) approval(ctx context.Context, seen wait.Seen, subscription *unstructured.Unstructured, csv string) (health.State, error) {
	plans := seen.List("InstallPlan")
	plan, found := olm.PlanFor(plans, csv)
	if !found {
		return f.noPlan(subscription, plans, csv), nil
	}
	if failure, healing := plan.Failure(); failure != nil {
		return failed(failure, healing), nil
	}
	// What is watched may be older than our own approval.
	if plan.Approved || slices.Contains(f.done.Approved, plan.Name) {
		return installing(csv), nil
	}
	if len(plan.Others(csv)) > 0 {
		return health.State{}, plan.Refuse(csv)
	}
	if err := refuseShared(plan, subscription); err != nil {
		return health.State{}, err
	}
	if err := olm.Approve(ctx, f.found.World.Conn.Dynamic, plan.Object); err != nil {
		return health.State{}, f.found.World.Conn.Translate(err)
	}
	f.done.Approved = append(f.done.Approved, plan.Name)
	return health.State{Text: "InstallPlan " + plan.Name + " approved: it names " + csv + " and nothing else"}, nil
}

// noPlan says what OLM is at, while it has planned nothing for the version.
func (f *follower) noPlan(subscription *unstructured.Unstructured, plans []*unstructured.Unstructured, csv string) health.State {
	if trouble, is := olm.TroubleOf(subscription); is {
		state := health.State{Text: trouble.Why, Hint: trouble.Next, Level: health.Warn, Code: trouble.Condition}
		if trouble.Hopeless {
			return health.Graced(state, resolutionGrace)
		}
		return state
	}
	for _, one := range plans {
		if other := olm.PlanOf(one); !other.Approved {
			return health.State{Text: fmt.Sprintf("waiting for OLM to plan %s; InstallPlan %s is for another version and is left alone", csv, other.Name)}
		}
	}
	return health.State{Text: "waiting for OLM to plan " + csv}
}
