// Package wait watches everything that was applied, all at once, until it is
// ready, or says why it never will be.
//
// One goroutine looks at what the watches brought, has package health
// say how each object is, and tells an observer what changed. What cannot
// heal by waiting ends the wait at once, with the cause and the
// next step; what looks as bad but is known to pass by itself must stay that
// way for a while first: each such State has its Grace.
//
// Watches resume by themselves when the API server restarts or has forgotten
// where they were. Nothing is written, with one exception: in webhook mode a
// pod that the pod identity webhook missed is deleted, once.
package wait

import (
	"context"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

// Targets is what to wait for. Empty names are not waited for, and their
// kinds are not watched.
type Targets struct {
	Namespace   string
	Bucket      string // name of the ACK Bucket
	Deployments []string
	PVC         string
	Route       string
	Ingress     string

	// Live are the objects as the apply left them. A watch may begin with
	// something older; it is then not yet believed.
	Live []*unstructured.Unstructured
	// BucketWritten says that this run created or updated the Bucket, so that
	// the conditions in Live may tell of the time before (ACK has no
	// observedGeneration).
	BucketWritten bool
	// Inventory is the ConfigMap that lists them, as it was written last; nil: it is
	// not watched. The wait ends if another run deletes it.
	Inventory *unstructured.Unstructured

	// Unfinished, which may be nil, looks at what S3 has of a Bucket whose status
	// has said for long that the controller is still at work. It reports false
	// where that tells nothing.
	Unfinished func(context.Context, *unstructured.Unstructured) (State, bool)

	// Identity are the Deployments whose pods must get an identity from the pod
	// identity webhook: they are looked at as they are created.
	Identity []string
	// RoleARN is what AWS_ROLE_ARN must say there; empty accepts any.
	RoleARN string
}

// kinds are the kinds the targets need watched.
func (t Targets) kinds() []kinds.Kind {
	var out []kinds.Kind
	for kind, wanted := range map[kinds.Kind]bool{
		kinds.Bucket: t.Bucket != "", kinds.PersistentVolumeClaim: t.PVC != "",
		kinds.Deployment: len(t.Deployments) > 0, kinds.Pod: len(t.Deployments) > 0,
		kinds.Route: t.Route != "", kinds.Ingress: t.Ingress != "",
	} {
		if wanted {
			out = append(out, kind)
		}
	}
	return out
}

// Result is how everything was at the end.
type Result struct {
	States []State // bucket, volume, deployments, route, ingress
	URL    string
}

// tick is how often time alone is looked at: a State may have lasted too long.
const tick = time.Second

// Wait returns when all targets are ready. observe, which may be nil, gets
// each State that differs from the object's last one; one call at a time.
//
// It is a *problem.Error of kind NotReady if something will never be ready or
// the context's deadline passed (then also context.DeadlineExceeded), one of
// kind Failed if the objects may not be watched or another run deleted the
// inventory, and the context's own error, wrapped, when it was cancelled. The
// Result is filled in either way.
func Wait(ctx context.Context, client dynamic.Interface, targets Targets, observe func(State)) (Result, error) {
	watched := watch(ctx, client, targets.Namespace, targets.kinds()...)
	defer watched.stop()
	record := follow(ctx, client, targets.Inventory, watched.changed)
	defer record.stop()
	reports := listen(ctx, client, targets, watched.changed)
	defer reports.stop()
	w := &waiting{
		targets: targets, client: client, watched: watched, record: record, reports: reports, tracker: newTracker(observe),
		identity: &identity{targets: targets, deleted: map[string]bool{}, replaced: map[string]bool{}, gaveUp: map[string]State{}},
		bucket:   unfinished{look: targets.Unfinished},
	}
	states, err := (&loop{watched: watched, tracker: w.tracker, judge: w.judge}).run(ctx)
	return Result{States: states, URL: addressIn(states)}, err
}

// addressIn is the first address that can be repeated.
func addressIn(states []State) string {
	for _, s := range states {
		if advice.Address(s.URL).Legal() {
			return s.URL
		}
	}
	return ""
}

// waiting judges the targets of one Wait. Only its own goroutine touches it.
type waiting struct {
	targets  Targets
	client   dynamic.Interface
	watched  *watched
	record   *record
	reports  *reports
	tracker  *tracker
	identity *identity
	bucket   unfinished
	// crashes remembers, by pod uid, when wait-for-bucket had last given up in
	// the pods that were there before the wait: that is not its result. Nil
	// until the pods have been listed.
	crashes map[string]string
}

// judge says how the targets are, and whether the inventory is known to exist still.
func (w *waiting) judge(ctx context.Context) ([]State, bool, error) {
	known, err := w.record.look()
	if err != nil {
		return nil, false, err
	}
	for _, s := range w.identity.mend(ctx, w.client, w.watched) {
		w.tracker.update(s, time.Now())
	}
	w.remember()
	w.reports.remember(w.watched.List(kinds.Pod))
	return w.states(ctx), known, nil
}

// states are the States of all targets as the watches show them.
func (w *waiting) states(ctx context.Context) []State {
	t := w.targets
	var out []State
	add := func(kind kinds.Kind, name string, judge func(obj *unstructured.Unstructured) State) {
		if name == "" {
			return
		}
		s := w.one(kind, name, judge)
		s.Kind, s.Name = kind.String(), name
		out = append(out, s)
	}
	add(kinds.Bucket, t.Bucket, func(obj *unstructured.Unstructured) State {
		if s, stale := w.bucket.judge(ctx, obj, time.Now()); stale {
			return s
		}
		var before []health.Condition // those it had when it was applied
		if applied := w.live(kinds.Bucket, t.Bucket); applied != nil {
			before = health.Conditions(applied)
		}
		return health.Bucket(obj, before, t.BucketWritten, health.Around{Install: t.install})
	})
	bucketReady := len(out) == 0 || out[0].Ready || out[0].Lone
	add(kinds.PersistentVolumeClaim, t.PVC, func(obj *unstructured.Unstructured) State {
		events, _ := w.reports.about(obj)
		return health.Volume(obj, events, health.Around{Install: t.install})
	})
	for _, name := range t.Deployments {
		add(kinds.Deployment, name, func(obj *unstructured.Unstructured) State {
			if s, missed := w.identity.gaveUp[name]; missed {
				return s
			}
			pods := health.CurrentPods(obj, w.watched.List(kinds.Pod))
			return health.Deployment(obj, pods, health.Around{
				BucketReady: bucketReady, GaveUpBefore: w.gaveUpBefore, Pulled: w.reports.pulled, Events: w.reports.about,
				Install: t.install,
			})
		})
	}
	add(kinds.Route, t.Route, health.Route)
	add(kinds.Ingress, t.Ingress, health.Ingress)
	return out
}

// install is the install of an app that an install waits for: it has applied that itself.
func (t Targets) install(flags ...string) string { return live.Hands{}.Install(t.Namespace, flags...) }

// one is the State of one object, if it can be believed yet.
func (w *waiting) one(kind kinds.Kind, name string, judge func(*unstructured.Unstructured) State) State {
	// What pods said before the wait is known before their Deployment is judged.
	if !w.watched.synced(kind) || kind == kinds.Deployment && w.crashes == nil {
		return State{Text: "not looked at yet", Silent: true}
	}
	obj := w.watched.Get(kind, name)
	if obj == nil {
		return health.Graced(State{Text: "it is not there", Hint: "somebody deleted it; run the same command again"}, health.MissingGrace)
	}
	if applied := w.live(kind, name); applied != nil && applied.GetUID() == obj.GetUID() && obj.GetGeneration() < applied.GetGeneration() {
		return State{Text: "waiting for the API server to show the change"}
	}
	return judge(obj)
}

// live is the object as the apply left it.
func (w *waiting) live(kind kinds.Kind, name string) *unstructured.Unstructured {
	for _, obj := range w.targets.Live {
		if obj.GetKind() == kind.String() && obj.GetName() == name {
			return obj
		}
	}
	return nil
}

// remember notes what the pods look like that are there as the wait begins.
func (w *waiting) remember() {
	if w.crashes != nil || len(w.targets.Deployments) == 0 || !w.watched.synced(kinds.Pod) {
		return
	}
	w.crashes = map[string]string{}
	for _, pod := range w.watched.List(kinds.Pod) {
		for _, c := range health.Maps(pod.Object, "status", "initContainerStatuses") {
			if health.Text(c, "name") == health.BucketWaiter {
				w.crashes[string(pod.GetUID())], _ = health.GaveUpAt(c)
			}
		}
	}
}

// gaveUpBefore reports whether a pod's wait-for-bucket had given up at this
// very time already when the wait began.
func (w *waiting) gaveUpBefore(pod *unstructured.Unstructured, finished string) bool {
	return finished != "" && w.crashes[string(pod.GetUID())] == finished
}

// State is how one object is, as package health judges it.
type State = health.State

// unfinished watches for a Bucket whose status stays at "still at work". It looks
// behind it each time that the status has stayed so for a while.
type unfinished struct {
	look func(context.Context, *unstructured.Unstructured) (State, bool)

	uid     string
	status  any // that stays
	next    time.Time
	verdict State
	found   bool
}

// lookLimit is how long one look may take: nothing else is looked at meanwhile.
const lookLimit = 15 * time.Second

// judge gives what was found behind the status, and whether anything was.
func (u *unfinished) judge(ctx context.Context, obj *unstructured.Unstructured, now time.Time) (State, bool) {
	if u.look == nil || !health.Unfinished(obj) {
		u.status = nil
		return State{}, false
	}
	status := obj.Object["status"]
	if u.uid != string(obj.GetUID()) || !reflect.DeepEqual(u.status, status) {
		u.uid, u.status, u.found, u.next = string(obj.GetUID()), status, false, now.Add(health.UnfinishedAfter)
	}
	if !u.found && !now.Before(u.next) {
		limited, cancel := context.WithTimeout(ctx, lookLimit)
		defer cancel()
		u.verdict, u.found = u.look(limited, obj)
		u.next = time.Now().Add(health.UnfinishedAfter)
	}
	return u.verdict, u.found
}
