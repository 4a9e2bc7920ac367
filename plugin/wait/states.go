package wait

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// Seen is what the watches show at one moment. Its objects must not be changed.
type Seen struct{ watched *watched }

// List are all objects of a kind, by name.
func (s Seen) List(kind string) []*unstructured.Unstructured { return s.watched.list(kind) }

// Get is an object, nil if it is not there.
func (s Seen) Get(kind, name string) *unstructured.Unstructured { return s.watched.get(kind, name) }

// Judge says how things are by what is seen. It is asked anew after each change
// and each second, one call at a time, once every kind has been listed, and may
// act in between: its error ends the wait. A State keeps its identity by Kind and
// Name.
type Judge func(context.Context, Seen) ([]State, error)

// States follows the objects of some kinds in one namespace until every State
// that judge gives is ready, and gives the last ones. observe and the errors are
// those of Wait.
func States(ctx context.Context, client dynamic.Interface, namespace string, kinds []string, judge Judge, observe func(State)) ([]State, error) {
	watchCtx, stop := context.WithCancel(ctx)
	f := &following{
		watched: watch(watchCtx, client, namespace, kinds...), kinds: kinds,
		tracker: newTracker(observe), judge: judge,
	}
	defer f.watched.stop()
	defer stop()
	started := time.Now()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		if done, err := f.look(ctx); done || err != nil {
			return f.tracker.all(f.ids), err
		}
		select {
		case <-ctx.Done():
			all := f.tracker.all(f.ids)
			return all, ended(ctx, all, f.watched, started)
		case <-f.watched.changed:
		case <-ticker.C:
		}
	}
}

// following is one call of States. Only its own goroutine touches it.
type following struct {
	watched *watched
	kinds   []string
	tracker *tracker
	judge   Judge
	ids     []string // of the States, in the order they were given last
}

func (f *following) look(ctx context.Context) (bool, error) {
	now := time.Now()
	if err := f.watched.denied(); err != nil {
		return true, mayNotWatch(f.watched.namespace, err)
	}
	if s, ok := f.watched.trouble(); ok {
		f.tracker.tell(s, now)
	}
	if slices.ContainsFunc(f.kinds, func(kind string) bool { return !f.watched.synced(kind) }) {
		return false, nil
	}
	states, err := f.judge(ctx, Seen{f.watched})
	if err != nil {
		return true, err
	}
	ready := len(states) > 0
	f.ids = f.ids[:0]
	for _, s := range states {
		f.ids = append(f.ids, s.Kind+"/"+s.Name)
		ready = f.tracker.update(s, now).Ready && ready
	}
	for _, s := range f.tracker.all(f.ids) {
		if s.Level == Fail {
			return true, hopeless(f.failed(), f.ids)
		}
	}
	return ready, nil
}

// failed are the current States that will not pass.
func (f *following) failed() []State {
	return slices.DeleteFunc(f.tracker.all(f.ids), func(s State) bool { return s.Level != Fail })
}
