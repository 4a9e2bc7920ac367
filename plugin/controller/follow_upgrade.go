package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// touched is the annotation that OLM is made to look at the Subscription by. It
// means nothing to OLM, which resolves again whenever a Subscription changes.
const touched = "ostoy-s3/resolve-again"

// When OLM has planned nothing: how long it is left alone, how long where it found
// no solution and does not look again, and how long after each time it was made to.
const (
	touchAfter    = 10 * time.Second
	touchUnsolved = 5 * time.Second
	touchAgain    = 20 * time.Second
	beingCreated  = 30 * time.Second // a plan, before OLM has given it up
)

// idle is how long OLM has planned nothing after a version.
type idle struct {
	after string    // the installed CSV
	since time.Time // when that was first seen, or the Subscription last touched
	times int       // it was touched
}

// pause is how long OLM is left alone.
func (i idle) pause(subscription *unstructured.Unstructured) time.Duration {
	trouble, is := olm.TroubleOf(subscription)
	switch {
	case i.times > 0:
		return touchAgain
	case is && unsolved(trouble):
		return touchUnsolved
	}
	return touchAfter
}

// upgrading is how far an upgrade is: OLM plans one version after the other, each
// of which is approved, until the one that was asked for is installed.
func (f *follower) upgrading(ctx context.Context, seen wait.Seen, subscription *unstructured.Unstructured) (health.State, *olm.CSV, error) {
	is := olm.InstallOf(subscription)
	version := f.versionOf(seen, is.Installed)
	f.passed(version)
	if is.Installed == f.Version.CSV || !is.Pending() {
		switch {
		case version != nil && !version.Succeeded():
			return f.onTheWay(unready(*version), is.Installed), version, nil
		case version != nil && is.Installed == f.Version.CSV:
			state, err := f.arrived(ctx, seen, subscription)
			return state, version, err
		}
		state, err := f.unplanned(ctx, seen, subscription)
		return state, version, err
	}
	if olm.Newer(VersionOf(is.Current), VersionOf(f.Version.CSV)) {
		// A version that the channel of OLM leaves out.
		return health.State{}, nil, problem.Refuse(fmt.Sprintf("the upgrade to %s is not approved", VersionOf(is.Current)),
			fmt.Sprintf("from %s OLM goes to %s, which is newer than %s", f.done.Steps[len(f.done.Steps)-1], VersionOf(is.Current), VersionOf(f.Version.CSV)),
			advice.Command("oc ostoy-s3 controller install --upgrade")+", which upgrades to the newest version")
	}
	version = f.versionOf(seen, is.Current)
	state, err := f.approval(ctx, seen, subscription, is.Current)
	switch {
	case version == nil || err != nil:
	case version.Succeeded():
		state = health.State{Text: VersionOf(is.Current) + " installed; waiting for OLM to update the Subscription"}
	default:
		state = unready(*version)
	}
	return f.onTheWay(state, is.Current), version, err
}

func (f *follower) versionOf(seen wait.Seen, csv string) *olm.CSV {
	object := seen.Get(kinds.ClusterServiceVersion, csv)
	if object == nil {
		return nil
	}
	version := olm.CSVOf(object)
	return &version
}

// passed notes a version that is installed. OLM names one in the Subscription as
// soon as its CSV exists, which may be before it succeeds.
func (f *follower) passed(version *olm.CSV) {
	if len(f.done.Steps) == 0 {
		f.done.Steps = []string{f.Version.From}
	}
	if version != nil && version.Succeeded() && !slices.Contains(f.done.Steps, VersionOf(version.Name)) {
		f.done.Steps = append(f.done.Steps, VersionOf(version.Name))
	}
}

// route is the last version, and how it was reached if by more than one step.
func (d *Done) route() string {
	last := d.Steps[len(d.Steps)-1]
	if len(d.Steps) < 3 {
		return last
	}
	return last + " (" + strings.Join(d.Steps, " → ") + ")"
}

// onTheWay puts the versions passed so far, and the one that comes, before what is
// said of it.
func (f *follower) onTheWay(state health.State, csv string) health.State {
	steps := slices.Clone(f.done.Steps)
	if version := VersionOf(csv); !slices.Contains(steps, version) {
		steps = append(steps, version)
	}
	before := strings.Join(steps, " → ") + ": "
	if csv != f.Version.CSV {
		before = strings.Join(append(steps, "..."), " → ") + ": "
	}
	return prefixed(state, before)
}

func prefixed(state health.State, before string) health.State {
	if state.Code == "" {
		state.Code = state.Text
	}
	state.Text = before + state.Text
	if state.Late != nil {
		late := prefixed(*state.Late, before)
		state.Late = &late
	}
	return state
}

// arrived is the end of an upgrade. A Subscription that OLM has stopped looking at
// is touched first, so that OLM plans the next version in its time.
func (f *follower) arrived(ctx context.Context, seen wait.Seen, subscription *unstructured.Unstructured) (health.State, error) {
	const enough = 2 // what stays then is no part of this upgrade
	tried := f.idle.after == olm.InstallOf(subscription).Installed && f.idle.times >= enough
	if trouble, is := olm.TroubleOf(subscription); !is || !unsolved(trouble) || tried {
		return f.unmarked(ctx, subscription, f.done.route()+" installed")
	}
	err := f.touch(ctx, seen, subscription)
	return health.State{Text: f.done.route() + " installed; waiting for OLM to look at the Subscription again"}, err
}

// unmarked is a version that is installed, once the annotation of this upgrade, or
// of one that was interrupted, is removed.
func (f *follower) unmarked(ctx context.Context, subscription *unstructured.Unstructured, text string) (health.State, error) {
	if _, left := subscription.GetAnnotations()[touched]; !left {
		return health.State{Text: text, Ready: true}, nil
	}
	_, err := f.mark(ctx, subscription, nil)
	return health.State{Text: text}, err
}

// unsolved: OLM found no solution, and does not look again.
func unsolved(trouble olm.Trouble) bool {
	return trouble.Condition == "ResolutionFailed" && trouble.Hopeless
}

// unplanned waits for OLM to plan what comes after the installed version. Right
// after an upgrade OLM may meet the version before it, find no solution, and not
// look again until the Subscription changes.
func (f *follower) unplanned(ctx context.Context, seen wait.Seen, subscription *unstructured.Unstructured) (health.State, error) {
	installed := VersionOf(olm.InstallOf(subscription).Installed)
	state := health.State{
		Text: fmt.Sprintf("OLM has planned nothing after %s, and %s is wanted", installed, VersionOf(f.Version.CSV)),
		Hint: advice.Command("oc describe subscriptions.operators.coreos.com", subscription.GetName(), "-n", subscription.GetNamespace()),
		Code: "unplanned after " + installed,
	}
	trouble, is := olm.TroubleOf(subscription)
	if is {
		state.Text += "; OLM reports: " + trouble.Why
		state.Hint = trouble.Next
	}
	err := f.touch(ctx, seen, subscription)
	if f.idle.times > 0 {
		state.Text += "; its Subscription was annotated, so that OLM looks again"
	}
	now := health.State{Text: "waiting for OLM to plan the version after " + installed}
	if is && !trouble.Passing && !unsolved(trouble) {
		return f.onTheWay(f.troubled(trouble), versionPrefix+installed), err
	}
	return f.onTheWay(passing(now, state), versionPrefix+installed), err
}

// touch makes OLM look at the Subscription again, where it has planned nothing for
// some time. It keeps out of OLM's way: not while a plan is being created or
// carried out, and only at the resourceVersion that was looked at.
func (f *follower) touch(ctx context.Context, seen wait.Seen, subscription *unstructured.Unstructured) error {
	installed, now := olm.InstallOf(subscription).Installed, time.Now()
	if f.idle.after != installed {
		f.idle = idle{after: installed, since: now}
	}
	busy := func(plan *unstructured.Unstructured) bool {
		created := olm.PlanOf(plan).Phase == "" && now.Sub(plan.GetCreationTimestamp().Time) < beingCreated
		return created || beingInstalled(plan)
	}
	if now.Sub(f.idle.since) < f.idle.pause(subscription) || slices.ContainsFunc(seen.List(kinds.InstallPlan), busy) {
		return nil
	}
	done, err := f.mark(ctx, subscription, now.UTC().Format(time.RFC3339))
	if done {
		f.idle.since = now
		f.idle.times++
	}
	return err
}

// mark sets the annotation of a Subscription as it was looked at; nil removes it.
// done is false where the Subscription was written to meanwhile, or deleted: the
// watch shows it.
func (f *follower) mark(ctx context.Context, subscription *unstructured.Unstructured, value any) (done bool, err error) {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": subscription.GetResourceVersion(),
		"annotations":     map[string]any{touched: value},
	}})
	if err != nil {
		return false, err
	}
	conn := f.found.World.Conn
	_, err = conn.Dynamic.Resource(kinds.Subscription.GVR()).Namespace(subscription.GetNamespace()).
		Patch(ctx, subscription.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: apply.Manager})
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, conn.Translate(err)
	}
	return true, nil
}

// replaced reports whether somebody deleted the Subscription and created one of the
// same name. Nothing that OLM does for that one is approved or changed.
func replaced(subscription *unstructured.Unstructured) (health.State, bool) {
	if apply.Ours(subscription) {
		return health.State{}, false
	}
	return health.Graced(health.State{
		Text: "its Subscription was replaced by one that ostoy-s3 does not manage",
		Hint: "oc ostoy-s3 controller status",
	}, subscriptionGrace), true
}

// refuseShared refuses an InstallPlan for another Subscription to the operator, which
// ostoy-s3 does not manage. Every Subscription of the namespace owns every plan there,
// those to other operators as well (OLM's catalog operator, createInstallPlan), so an
// owner alone means nothing: it has to be one to the operator, or, if it does not
// exist any more, the plan has to be without ours. A plan without owners is not
// refused, because nothing says whose it is.
func refuseShared(plan olm.InstallPlan, subscription *unstructured.Unstructured, all []*unstructured.Unstructured) error {
	owners := plan.Object.GetOwnerReferences()
	mine := slices.ContainsFunc(owners, func(o metav1.OwnerReference) bool { return o.UID == subscription.GetUID() })
	var others []string
	for _, owner := range owners {
		if owner.Kind != "Subscription" || owner.UID == subscription.GetUID() {
			continue
		}
		at := slices.IndexFunc(all, func(s *unstructured.Unstructured) bool { return s.GetUID() == owner.UID })
		if at < 0 && !mine || at >= 0 && ofPackage(all[at]) {
			others = append(others, "Subscription "+owner.Name)
		}
	}
	if len(others) == 0 {
		return nil
	}
	why := "OLM made it for " + strings.Join(others, ", ")
	if mine {
		why += " as well"
	}
	return problem.Refuse("InstallPlan "+plan.Name+" in "+plan.Namespace+" is not approved",
		why+", which ostoy-s3 does not manage",
		"if you want it: "+plan.ApproveCommand())
}
