package wait

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
)

// resourceOf is the resource by which a kind is watched.
func resourceOf(kind string) schema.GroupVersionResource {
	switch kind {
	case "Bucket":
		return schema.GroupVersionResource{Group: "s3.services.k8s.aws", Version: "v1alpha1", Resource: "buckets"}
	case "Deployment":
		return schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	case "PersistentVolumeClaim":
		return schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumeclaims"}
	case "Route":
		return schema.GroupVersionResource{Group: "route.openshift.io", Version: "v1", Resource: "routes"}
	case "NetworkPolicy":
		return schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"}
	case "Ingress":
		return schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}
	case "ServiceAccount":
		return schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	case "ConfigMap":
		return schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	case "Service":
		return schema.GroupVersionResource{Version: "v1", Resource: "services"}
	case "Subscription", "InstallPlan", "ClusterServiceVersion":
		return schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: strings.ToLower(kind) + "s"}
	case "RoleBinding":
		return schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"}
	}
	return schema.GroupVersionResource{Version: "v1", Resource: "pods"}
}

// kinds are the kinds the targets need watched.
func (t Targets) kinds() []string {
	var out []string
	for kind, wanted := range map[string]bool{
		"Bucket": t.Bucket != "", "PersistentVolumeClaim": t.PVC != "",
		"Deployment": len(t.Deployments) > 0, "Pod": len(t.Deployments) > 0,
		"Route": t.Route != "", "Ingress": t.Ingress != "",
	} {
		if wanted {
			out = append(out, kind)
		}
	}
	return out
}

// watched is what the watches show. Informers list, watch, and do both again
// when a connection breaks or a resourceVersion is too old.
type watched struct {
	changed   chan struct{} // holds one notice: there is something to look at
	informers map[string]cache.SharedIndexInformer
	running   sync.WaitGroup
	namespace string

	mu     sync.Mutex
	broken map[string]brokenWatch // by kind, what does not work now
	cause  string                 // of the trouble, as first heard
	ever   bool                   // whether there was any
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

func watch(ctx context.Context, client dynamic.Interface, namespace string, kinds ...string) *watched {
	return watchNamed(ctx, client, namespace, "", kinds...)
}

// watchOne watches a single object.
func watchOne(ctx context.Context, client dynamic.Interface, namespace, kind, name string) *watched {
	return watchNamed(ctx, client, namespace, name, kind)
}

func watchNamed(ctx context.Context, client dynamic.Interface, namespace, name string, kinds ...string) *watched {
	w := &watched{
		changed:   make(chan struct{}, 1),
		informers: map[string]cache.SharedIndexInformer{},
		namespace: namespace,
		broken:    map[string]brokenWatch{},
	}
	for _, kind := range kinds {
		informer := source{client.Resource(resourceOf(kind)).Namespace(namespace), kind, name, w}.informer(client)
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

// stop waits until nothing is watched any more; the context has ended before.
func (w *watched) stop() { w.running.Wait() }

// notice says that a watch works and brought something.
func (w *watched) notice(kind string) {
	w.answered(kind)
	w.wake()
}

// answered says that the API server has answered for a kind.
func (w *watched) answered(kind string) {
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
func (w *watched) fail(kind string, err error) {
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || err == nil ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	w.mu.Lock()
	if len(w.broken) == 0 { // texts of later ones differ in ports and times only
		w.cause = health.OneLine(err.Error())
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
	for kind := range w.broken {
		if err := w.refusal(kind); err != nil {
			return err
		}
	}
	return nil
}

// refusal is denied for one kind; the caller holds the lock.
func (w *watched) refusal(kind string) error {
	if b, broken := w.broken[kind]; broken {
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
		s.Level, s.Ready = Warn, false
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
func (w *watched) synced(kind string) bool { return w.informers[kind].HasSynced() }

// get is an object as the watch shows it, nil if it is not there. It must not
// be changed.
func (w *watched) get(kind, name string) *unstructured.Unstructured {
	if w.informers[kind] == nil {
		return nil
	}
	item, ok, err := w.informers[kind].GetStore().GetByKey(w.namespace + "/" + name)
	if err != nil || !ok {
		return nil
	}
	obj, _ := item.(*unstructured.Unstructured)
	return obj
}

// list are all objects of a kind, by name and namespace; none of a kind that is not
// watched.
func (w *watched) list(kind string) []*unstructured.Unstructured {
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
