package wait

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// each asks look after each change of what is watched and each second, until look is
// done or fails. If the context ends, the error is that of over.
func (w *watched) each(ctx context.Context, look func() (done bool, err error), over func() error) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		if done, err := look(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return over()
		case <-w.changed:
		case <-ticker.C:
		}
	}
}

// loop is one wait for States. Only its own goroutine touches it.
type loop struct {
	watched *watched
	tracker *tracker
	// judge says how things are, and whether States are all there is to wait for.
	judge func(context.Context) (states []State, settled bool, err error)
	ids   []string // of the States, in the order they were given last
}

// run waits until every State is ready or one never will be, and returns the last ones.
func (l *loop) run(ctx context.Context) ([]State, error) {
	started := time.Now()
	err := l.watched.each(ctx, func() (bool, error) { return l.look(ctx) }, func() error {
		return ended(ctx, l.tracker.all(l.ids), l.watched, started)
	})
	return l.tracker.all(l.ids), err
}

func (l *loop) look(ctx context.Context) (bool, error) {
	now := time.Now()
	if err := l.watched.denied(); err != nil {
		return true, mayNotWatch("everything is applied, but cannot be watched in "+l.watched.namespace,
			"ask an admin for the right to list and watch there, or install with --wait=false", err)
	}
	if s, ok := l.watched.trouble(); ok {
		l.tracker.update(s, now)
	}
	states, ready, err := l.judge(ctx)
	if err != nil {
		return true, err
	}
	l.ids = l.ids[:0]
	busy := false
	var failed []State
	for _, s := range states {
		l.ids = append(l.ids, s.Kind+"/"+s.Name)
		s = l.tracker.update(s, now)
		ready = s.Ready && ready
		busy = busy || !s.Ready && s.Level != health.Fail
		if s.Level == health.Fail {
			failed = append(failed, s)
		}
	}
	hinders := func(s State) bool { return !s.Lone } // keeps the others from becoming ready
	if len(failed) > 0 && !(busy && !slices.ContainsFunc(failed, hinders)) {
		return true, notReady(failed, "will not become ready", "will not become ready")
	}
	return ready, nil
}

// Until watches the objects of one kind in a namespace, or ("") in all of them,
// until done says so. done is asked after each change and each second, with all
// objects as they are, by name; they must not be changed. A kind that is not served has no objects.
// observe, which may be nil, is told when the API server does not answer, and
// when it does again.
//
// The error is done's own, one for a user who may not watch (*problem.Error of
// kind Failed), or the context's.
func Until(ctx context.Context, client dynamic.Interface, namespace string, kind kinds.Kind, done func([]*unstructured.Unstructured) (bool, error), observe func(State)) error {
	w := watch(ctx, client, namespace, kind)
	defer w.stop()
	tracker := newTracker(observe)
	return w.each(ctx, func() (bool, error) {
		if s, ok := w.trouble(); ok {
			tracker.update(s, time.Now())
		}
		return w.ask(kind, done)
	}, ctx.Err)
}

// ask asks done, once there is something to show.
func (w *watched) ask(kind kinds.Kind, done func([]*unstructured.Unstructured) (bool, error)) (bool, error) {
	if err := w.denied(); apierrors.IsNotFound(err) {
		return done(nil)
	} else if err != nil {
		return true, mayNotWatch(fmt.Sprintf("the %ss in %s cannot be watched", kind, cmp.Or(w.namespace, "all namespaces")),
			"ask an admin for the right to list and watch "+kind.GVR().Resource+" there, then run the same command again", err)
	}
	if !w.synced(kind) {
		return false, nil
	}
	return done(w.List(kind))
}

// Seen is what the watches show at one moment. Its objects must not be changed.
type Seen interface {
	// List are all objects of a kind, by name.
	List(kind kinds.Kind) []*unstructured.Unstructured
	// Get is an object, nil if it is not there.
	Get(kind kinds.Kind, name string) *unstructured.Unstructured
}

// Judge says how things are by what is seen. It is asked anew after each change
// and each second, one call at a time, once every kind has been listed, and may
// act in between: its error ends the wait. A State keeps its identity by Kind and
// Name.
type Judge func(context.Context, Seen) ([]State, error)

// States follows the objects of some kinds in one namespace until every State
// that judge gives is ready, and gives the last ones. observe and the errors are
// those of Wait.
func States(ctx context.Context, client dynamic.Interface, namespace string, all []kinds.Kind, judge Judge, observe func(State)) ([]State, error) {
	w := watch(ctx, client, namespace, all...)
	defer w.stop()
	l := &loop{watched: w, tracker: newTracker(observe), judge: func(ctx context.Context) ([]State, bool, error) {
		if slices.ContainsFunc(all, func(kind kinds.Kind) bool { return !w.synced(kind) }) {
			return nil, false, nil
		}
		states, err := judge(ctx, w)
		return states, len(states) > 0, err
	}}
	return l.run(ctx)
}

// tracker remembers the State each object was last told to be in.
type tracker struct {
	observe func(State)
	last    map[string]tracked
}

type tracked struct {
	code  string
	since time.Time
	state State
}

func newTracker(observe func(State)) *tracker {
	if observe == nil {
		observe = func(State) {}
	}
	return &tracker{observe: observe, last: map[string]tracked{}}
}

// update takes an object's State, lets what has lasted too long become what
// it then is, and tells it if it is new.
func (t *tracker) update(s State, now time.Time) State {
	id := s.Kind + "/" + s.Name
	was, seen := t.last[id]
	code := cmp.Or(s.Code, s.Text)
	since := now
	if seen && was.code == code {
		since = was.since
	}
	for s.Late != nil && now.Sub(since) >= s.After {
		late := *s.Late
		late.Kind, late.Name = s.Kind, s.Name
		s = late
	}
	s.Since = since
	t.last[id] = tracked{code, since, s}
	if !s.Silent && (!seen || was.state.Silent || !same(s, was.state)) {
		t.observe(s)
	}
	return s
}

func same(a, b State) bool {
	return a.Text == b.Text && a.Ready == b.Ready && a.Level == b.Level && a.Hint == b.Hint && a.URL == b.URL
}

// all are the States that are known of these, in their order.
func (t *tracker) all(ids []string) []State {
	var out []State
	for _, id := range ids {
		if tr, ok := t.last[id]; ok {
			out = append(out, tr.state)
		}
	}
	return out
}

// ended is the error for a context that is over. A deadline is a finding; an
// interrupt is the user's wish and has no need of an explanation.
func ended(ctx context.Context, all []State, w *watched, started time.Time) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("waiting was interrupted: %w", ctx.Err())
	}
	open := slices.DeleteFunc(all, func(s State) bool { return s.Ready })
	took := time.Since(started).Round(time.Second).String()
	p := notReady(open, "is not ready after "+took, "are not ready after "+took)
	if server, ok := w.trouble(); ok && !server.Ready {
		p.Why = strings.TrimPrefix(p.Why+"\n", "\n") + "the API server " + strings.TrimSuffix(server.Text, ", trying again") + ": " + server.Hint
	}
	if p.Next != "" {
		p.Next += "\n"
	}
	p.Next += "run the same command again to continue waiting"
	p.Err = ctx.Err()
	return p
}

// notReady names each object with its last State, and all next steps. one and several
// say what is the matter with one object, or with several.
func notReady(states []State, one, several string) *problem.Error {
	p := &problem.Error{Kind: problem.NotReady, What: fmt.Sprintf("%d objects %s", len(states), several)}
	if len(states) == 1 {
		p.What = naming(states[0]) + " " + one
	}
	var whys, nexts []string
	for _, s := range states {
		why := s.Text
		if len(states) > 1 {
			why = naming(s) + ": " + s.Text
		}
		whys = append(whys, plain.Line(why))
		if s.Hint != "" && !slices.Contains(nexts, s.Hint) {
			nexts = append(nexts, s.Hint)
		}
	}
	p.Why, p.Next = strings.Join(whys, "\n"), strings.Join(nexts, "\n")
	return p
}

func naming(s State) string { return s.Kind + " " + s.Name }

// mayNotWatch is the error for watches that are refused from the start. hint is what
// the user can do about a missing permission.
func mayNotWatch(what, hint string, err error) error {
	p := problem.Fail(what, plain.Line(err.Error()), hint).Because(err)
	switch {
	case apierrors.IsUnauthorized(err):
		p.Next = "oc login, then run the same command again"
	case apierrors.IsNotFound(err):
		p.Next = "the cluster does not serve this kind any more: oc api-resources"
	}
	return p
}
