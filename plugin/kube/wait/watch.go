package wait

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// watched is what the watches show. Informers list, watch, and do both again
// when a connection breaks or a resourceVersion is too old.
type watched struct {
	changed   chan struct{} // holds one notice: there is something to look at
	informers map[kinds.Kind]cache.SharedIndexInformer
	running   sync.WaitGroup
	end       context.CancelFunc
	namespace string

	mu     sync.Mutex
	broken map[kinds.Kind]brokenWatch // by kind, what does not work now
	cause  string                     // of the trouble, as first heard
	ever   bool                       // whether there was any
}

// brokenWatch is a watch's last error, how far it had come by then, and since
// when the API server has not taken the login, if that is the error.
type brokenWatch struct {
	err       error
	version   string
	loggedOut time.Time
}

// loggedOutGrace is how long an API server that has answered before may refuse
// the login: while OpenShift's part for tokens restarts, nobody's is known.
const loggedOutGrace = 20 * time.Second

func watch(ctx context.Context, client dynamic.Interface, namespace string, all ...kinds.Kind) *watched {
	return watchNamed(ctx, client, make(chan struct{}, 1), namespace, "", all...)
}

// watchNamed watches one object of each kind; of name "" all.
func watchNamed(ctx context.Context, client dynamic.Interface, changed chan struct{}, namespace, name string, all ...kinds.Kind) *watched {
	ctx, end := context.WithCancel(ctx)
	w := &watched{
		changed:   changed,
		end:       end,
		informers: map[kinds.Kind]cache.SharedIndexInformer{},
		namespace: namespace,
		broken:    map[kinds.Kind]brokenWatch{},
	}
	for _, kind := range all {
		informer := source{client.Resource(kind.GVR()).Namespace(namespace), kind, name, w}.informer(client)
		w.informers[kind] = informer
		// These fail only for an informer that runs already.
		_ = informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
			w.fail(kind, err)
		})
		_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { w.notice(kind) },
			UpdateFunc: func(any, any) { w.notice(kind) },
			DeleteFunc: func(any) { w.notice(kind) },
		})
	}
	for _, informer := range w.informers {
		w.running.Go(func() { informer.RunWithContext(ctx) })
		go w.wakeWhenListed(ctx, informer.HasSyncedChecker())
	}
	return w
}

// wakeWhenListed: the events of a first list come a moment before the
// informer calls itself synced, and an empty list has none.
func (w *watched) wakeWhenListed(ctx context.Context, listed cache.DoneChecker) {
	select {
	case <-listed.Done():
		w.wake()
	case <-ctx.Done():
	}
}

// stop ends the watches.
func (w *watched) stop() {
	w.end()
	w.running.Wait()
}

// notice says that a watch works and brought something.
func (w *watched) notice(kind kinds.Kind) {
	w.answered(kind)
	w.wake()
}

// answered says that the API server has answered for a kind.
func (w *watched) answered(kind kinds.Kind) {
	w.mu.Lock()
	_, was := w.broken[kind]
	delete(w.broken, kind)
	w.mu.Unlock()
	if was {
		w.wake()
	}
}

func (w *watched) wake() {
	select {
	case w.changed <- struct{}{}:
	default: // there is a notice already
	}
}

// fail says that a watch broke. That its resourceVersion is too old, or that
// the server closed it, is the ordinary end of a watch.
func (w *watched) fail(kind kinds.Kind, err error) {
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || err == nil ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	w.mu.Lock()
	if len(w.broken) == 0 { // texts of later ones differ in ports and times only
		w.cause = plain.Said(err.Error())
	}
	b := brokenWatch{err: err, version: w.informers[kind].LastSyncResourceVersion()}
	if apierrors.IsUnauthorized(err) {
		if b.loggedOut = w.broken[kind].loggedOut; b.loggedOut.IsZero() {
			b.loggedOut = time.Now()
		}
	}
	w.broken[kind] = b
	w.ever = true
	w.mu.Unlock()
	w.wake()
}

// denied is an error that will not pass: what may not be watched or is not
// served from the start. Once a watch worked, the same answer is that of an
// API server that is just starting again; only a login that stays unknown has
// expired.
func (w *watched) denied() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for kind, b := range w.broken {
		final := apierrors.IsForbidden(b.err) || apierrors.IsUnauthorized(b.err) || apierrors.IsNotFound(b.err)
		expired := !b.loggedOut.IsZero() && time.Since(b.loggedOut) > loggedOutGrace
		if expired || final && !w.informers[kind].HasSynced() {
			return b.err
		}
	}
	return nil
}

// trouble is the State of the API server, once there was something to say. A
// watch works again when it has come further, by an event or a bookmark.
func (w *watched) trouble() (State, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for kind, b := range w.broken {
		if w.informers[kind].LastSyncResourceVersion() != b.version {
			delete(w.broken, kind)
		}
	}
	s := State{Kind: "Server", Name: "API server", Text: "answers again", Ready: true}
	if len(w.broken) > 0 {
		s.Level, s.Ready = health.Warn, false
		s.Text, s.Hint = "does not answer, trying again", w.cause
	}
	for _, b := range w.broken {
		if !b.loggedOut.IsZero() {
			s.Text = "does not accept the login any more, trying again"
		}
	}
	return s, w.ever
}

// synced reports whether a kind's objects have been listed.
func (w *watched) synced(kind kinds.Kind) bool { return w.informers[kind].HasSynced() }

// Get is an object as the watch shows it, nil if it is not there. It must not
// be changed.
func (w *watched) Get(kind kinds.Kind, name string) *unstructured.Unstructured {
	if w.informers[kind] == nil {
		return nil
	}
	item, _, _ := w.informers[kind].GetStore().GetByKey(w.namespace + "/" + name)
	obj, _ := item.(*unstructured.Unstructured)
	return obj
}

// List are all objects of a kind, by name and namespace; none of a kind that is not
// watched.
func (w *watched) List(kind kinds.Kind) []*unstructured.Unstructured {
	if w.informers[kind] == nil {
		return nil
	}
	var out []*unstructured.Unstructured
	for _, item := range w.informers[kind].GetStore().List() {
		if obj, ok := item.(*unstructured.Unstructured); ok {
			out = append(out, obj)
		}
	}
	slices.SortFunc(out, func(a, b *unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(a.GetName(), b.GetName()), cmp.Compare(a.GetNamespace(), b.GetNamespace()))
	})
	return out
}

const (
	// silentAfter is how long a list, or the beginning of a watch, may take
	// before the API server is said not to answer. client-go alone tries a broken
	// connection for ten seconds and more, several times over, and says nothing.
	silentAfter = 5 * time.Second
	// againAfter is the pause before a refused connection is tried again. A
	// reflector would make it longer each time, up to a minute, and be that late
	// when the server is back.
	againAfter = time.Second
)

// source lists and watches one kind, and says how the API server does.
type source struct {
	client dynamic.ResourceInterface
	kind   kinds.Kind
	name   string // of the only object; "": all of the kind
	report *watched
}

// informer gives the informer that a source feeds. whole is the client that the
// source's is of: informers look there for what it cannot do.
func (s source) informer(whole dynamic.Interface) cache.SharedIndexInformer {
	return cache.NewSharedIndexInformerWithOptions(
		cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
				return ask(ctx, s, func() (*unstructured.UnstructuredList, error) { return s.client.List(ctx, s.only(opts)) })
			},
			WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (apiwatch.Interface, error) {
				return ask(ctx, s, func() (apiwatch.Interface, error) { return s.client.Watch(ctx, s.only(opts)) })
			},
		}, whole),
		&unstructured.Unstructured{},
		cache.SharedIndexInformerOptions{ObjectDescription: s.kind.String()},
	)
}

func (s source) only(opts metav1.ListOptions) metav1.ListOptions {
	if s.name != "" {
		opts.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, s.name).String()
	}
	return opts
}

// ask makes one call, again and again while the connection is refused: that is
// what a server that restarts looks like.
func ask[Answer any](ctx context.Context, s source, call func() (Answer, error)) (Answer, error) {
	silent := time.AfterFunc(silentAfter, func() {
		s.report.fail(s.kind, fmt.Errorf("no answer for %s", silentAfter))
	})
	defer silent.Stop()
	for {
		answer, err := call()
		if err == nil && !emptyHanded(answer) {
			silent.Stop()
			s.report.answered(s.kind)
			return answer, nil
		}
		if !utilnet.IsConnectionRefused(err) {
			return answer, err
		}
		s.report.fail(s.kind, err)
		if err := interrupt.Sleep(ctx, againAfter); err != nil {
			return answer, err
		}
	}
}

// emptyHanded recognises what client-go returns for a watch whose connection broke
// each of the ten times it tried: an empty watch, and no error.
func emptyHanded(answer any) bool {
	return reflect.TypeOf(answer) == reflect.TypeOf(apiwatch.NewEmptyWatch())
}
