package wait

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Until watches the objects of one kind in a namespace, or ("") in all of them,
// until done says so. done
// is asked after each change and each second, with all objects as they are, by
// name; they must not be changed. A kind that is not served has no objects.
// observe, which may be nil, is told when the API server does not answer, and
// when it does again.
//
// The error is done's own, one for a user who may not watch (*problem.Error of
// kind Failed), or the context's.
func Until(ctx context.Context, client dynamic.Interface, namespace, kind string, done func([]*unstructured.Unstructured) (bool, error), observe func(State)) error {
	watchCtx, stop := context.WithCancel(ctx)
	w := watch(watchCtx, client, namespace, kind)
	defer w.stop()
	defer stop()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	tracker := newTracker(observe)
	for {
		if s, ok := w.trouble(); ok {
			tracker.tell(s, time.Now())
		}
		over, err := w.ask(kind, done)
		if over || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.changed:
		case <-ticker.C:
		}
	}
}

// ask asks done, once there is something to show.
func (w *watched) ask(kind string, done func([]*unstructured.Unstructured) (bool, error)) (bool, error) {
	if err := w.denied(); apierrors.IsNotFound(err) {
		return done(nil)
	} else if err != nil {
		return true, mayNotFollow(w.namespace, kind, err)
	}
	if !w.synced(kind) {
		return false, nil
	}
	return done(w.list(kind))
}

func mayNotFollow(namespace, kind string, err error) error {
	where := namespace
	if where == "" {
		where = "all namespaces"
	}
	p := &problem.Error{
		Kind: problem.Failed,
		What: fmt.Sprintf("the %ss in %s cannot be watched", kind, where),
		Why:  err.Error(),
		Next: "ask an admin for the right to list and watch " + resourceOf(kind).Resource + " there, then run the same command again",
		Err:  err,
	}
	if apierrors.IsUnauthorized(err) {
		p.Next = "oc login, then run the same command again"
	}
	return p
}
