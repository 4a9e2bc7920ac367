package live

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
)

// Stale gives the State of a Bucket whose status the controller has not finished,
// if S3 has the bucket with all settings that the Bucket asks for. It reports
// false where the status is not of that kind or not yet old, where S3 does not
// have everything, and where that cannot be known.
func (w *World) Stale(ctx context.Context, object *unstructured.Unstructured, now time.Time) (health.State, bool) {
	if object == nil || !health.Unfinished(object) || health.UnfinishedFor(object, now) < health.UnfinishedAfter {
		return health.State{}, false
	}
	return w.StaleNow(ctx, object)
}

// StaleNow is Stale for a status that is known to be old.
func (w *World) StaleNow(ctx context.Context, object *unstructured.Unstructured) (health.State, bool) {
	if kind, is := w.confirmed(ctx, object); !is || kind != bucket.Ours && kind != bucket.Foreign {
		return health.State{}, false
	}
	return health.Stale(object, w.restart(ctx)), true
}

// confirmed reports whether S3 has the bucket of a Bucket with all settings that it asks
// for, and whose that bucket is.
func (w *World) confirmed(ctx context.Context, object *unstructured.Unstructured) (bucket.Kind, bool) {
	spec, _, _ := unstructured.NestedMap(object.Object, "spec")
	name, _, _ := unstructured.NestedString(spec, "name")
	state, err := w.BucketState(ctx)
	if err != nil || name != state.Name || state.Tags == nil {
		return state.Kind, false
	}
	settings, err := w.bucketHas(ctx)
	settings.Tags = state.Tags
	return state.Kind, err == nil && len(settings.Differ(spec)) == 0
}

// Worked is the name of a Bucket of the project that is synced, and whose S3 bucket is
// this install's and has every setting that the Bucket asks for: a controller has worked
// on it, whether or not one can be found. "" if there is none, or S3 cannot be asked:
// the status alone, which an editor of the project may have written, shows nothing.
func (w *World) Worked(ctx context.Context) string {
	all, err := w.Here(ctx, Buckets())
	if err != nil {
		return ""
	}
	for _, object := range all {
		if !health.Bucket(object, nil, false).Ready {
			continue
		}
		if kind, is := w.confirmed(ctx, object); is && kind == bucket.Ours {
			return object.GetName()
		}
	}
	return ""
}

// bucketHas asks S3 for all settings, at the same time.
func (w *World) bucketHas(ctx context.Context) (s bucket.Settings, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { s.Public, err = w.PublicAccess(ctx); return err })
	group.Go(func() (err error) { s.Policy, err = w.BucketPolicy(ctx); return err })
	group.Go(func() (err error) { s.Encryption, err = w.Encryption(ctx); return err })
	group.Go(func() (err error) { s.Ownership, err = w.Ownership(ctx); return err })
	return s, group.Wait()
}

// restart is the command that restarts the controller, "" if it is not proven which
// one it is.
func (w *World) restart(ctx context.Context) string {
	found, err := w.Controllers(ctx)
	if err != nil || len(found.Proven) != 1 {
		return ""
	}
	return found.Proven[0].Restart()
}
