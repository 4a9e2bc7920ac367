package wait

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
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

	// Webhook says that pods get their identity from the pod identity webhook:
	// those of Identity are looked at as they are created.
	Webhook bool
	// Identity are the Deployments whose pods must have an identity.
	Identity []string
	// RoleARN is what AWS_ROLE_ARN must say there; empty accepts any.
	RoleARN string
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
// inventory, and the context's own error,
// wrapped, when it was cancelled. The Result is filled in either way.
func Wait(ctx context.Context, client dynamic.Interface, targets Targets, observe func(State)) (Result, error) {
	w := &waiting{
		targets:  targets,
		client:   client,
		tracker:  newTracker(observe),
		started:  time.Now(),
		identity: newIdentity(targets),
		bucket:   unfinished{look: targets.Unfinished},
	}
	return w.run(ctx)
}

// waiting is one call of Wait. Only its own goroutine touches it.
type waiting struct {
	targets  Targets
	client   dynamic.Interface
	watched  *watched
	record   *record
	tracker  *tracker
	identity *identity
	bucket   unfinished
	started  time.Time
	// crashes remembers, by pod uid, when wait-for-bucket had last given up in
	// the pods that were there before the wait: that is not its result. Nil
	// until the pods have been listed.
	crashes map[string]string
}

func (w *waiting) run(ctx context.Context) (Result, error) {
	watchCtx, stop := context.WithCancel(ctx)
	w.watched = watch(watchCtx, w.client, w.targets.Namespace, w.targets.kinds()...)
	defer w.watched.stop()
	w.record = follow(watchCtx, w.client, w.targets.Inventory)
	defer w.record.stop()
	defer stop()

	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		if done, err := w.look(ctx); done {
			return w.result(), err
		}
		select {
		case <-ctx.Done():
			return w.result(), ended(ctx, w.result().States, w.watched, w.started)
		case <-w.watched.changed:
		case <-w.record.changed():
		case <-ticker.C:
		}
	}
}

// look turns what is there now into States. It is done when all are ready or
// one has failed.
func (w *waiting) look(ctx context.Context) (bool, error) {
	now := time.Now()
	if err := w.watched.denied(); err != nil {
		return true, mayNotWatch(w.targets.Namespace, err)
	}
	ready, err := w.record.look()
	if err != nil {
		return true, err
	}
	if w.targets.Webhook {
		for _, s := range w.identity.mend(ctx, w.client, w.watched, w.targets) {
			w.tracker.tell(s, now)
		}
	}
	w.remember()
	busy := false
	for _, s := range w.states(ctx) {
		s = w.tracker.update(s, now)
		ready = s.Ready && ready
		busy = busy || !s.Ready && s.Level != Fail
	}
	if s, ok := w.watched.trouble(); ok {
		w.tracker.tell(s, now)
	}
	if failed := w.tracker.failed(); len(failed) > 0 && !(busy && lone(failed)) {
		return true, hopeless(failed, w.targets.ids())
	}
	return ready, nil
}

// states are the States of all targets as the watches show them.
func (w *waiting) states(ctx context.Context) []State {
	t := w.targets
	var out []State
	add := func(kind, name string, judge func(obj *unstructured.Unstructured) State) {
		if name == "" {
			return
		}
		s := w.one(kind, name, judge)
		s.Kind, s.Name = kind, name
		out = append(out, s)
	}
	add("Bucket", t.Bucket, func(obj *unstructured.Unstructured) State {
		if s, stale := w.bucket.judge(ctx, obj, time.Now()); stale {
			return s
		}
		return health.Bucket(obj, w.baseline(), t.BucketWritten)
	})
	bucketReady := len(out) == 0 || out[0].Ready || out[0].Lone
	add("PersistentVolumeClaim", t.PVC, health.Volume)
	for _, name := range t.Deployments {
		add("Deployment", name, func(obj *unstructured.Unstructured) State {
			if s, missed := w.identity.verdict(name); missed {
				return s
			}
			pods := health.CurrentPods(obj, w.watched.list("Pod"))
			return health.Deployment(obj, pods, health.Around{BucketReady: bucketReady, GaveUpBefore: w.gaveUpBefore})
		})
	}
	add("Route", t.Route, health.Route)
	add("Ingress", t.Ingress, health.Ingress)
	return out
}

// one is the State of one object, if it can be believed yet.
func (w *waiting) one(kind, name string, judge func(*unstructured.Unstructured) State) State {
	if !w.watched.synced(kind) || kind == "Deployment" && !w.watched.synced("Pod") {
		return State{Text: "not looked at yet", Silent: true}
	}
	obj := w.watched.get(kind, name)
	if obj == nil {
		return health.Graced(State{Text: "it is not there", Hint: "somebody deleted it; run the same command again"}, health.MissingGrace)
	}
	if applied := w.live(kind, name); applied != nil && applied.GetUID() == obj.GetUID() && obj.GetGeneration() < applied.GetGeneration() {
		return State{Text: "waiting for the API server to show the change"}
	}
	return judge(obj)
}

// live is the object as the apply left it.
func (w *waiting) live(kind, name string) *unstructured.Unstructured {
	for _, obj := range w.targets.Live {
		if obj.GetKind() == kind && obj.GetName() == name {
			return obj
		}
	}
	return nil
}

// baseline are the conditions the Bucket had when it was applied.
func (w *waiting) baseline() []health.Condition {
	if obj := w.live("Bucket", w.targets.Bucket); obj != nil {
		return health.Conditions(obj)
	}
	return nil
}

// remember notes what the pods look like that are there as the wait begins.
func (w *waiting) remember() {
	if w.crashes != nil || len(w.targets.Deployments) == 0 || !w.watched.synced("Pod") {
		return
	}
	w.crashes = map[string]string{}
	for _, pod := range w.watched.list("Pod") {
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

func (w *waiting) result() Result {
	r := Result{States: w.tracker.all(w.targets.ids())}
	for _, s := range r.States {
		if r.URL == "" && advice.Address(s.URL).Legal() {
			r.URL = s.URL
		}
	}
	return r
}
