package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/wait"
)

const (
	// noProgress is how long a controller that runs may let go of no Bucket at
	// all: what it has failed at before it tries again up to 16 minutes later
	// (FACTS 1.3).
	noProgress = 60 * time.Second
	// bucketsAtOnce is how many Buckets are changed at the same time.
	bucketsAtOnce = 8
	// tries is how often one Bucket is looked at and changed: three changes are
	// needed, the rest is for others who are faster.
	tries = 16
)

// letGo has the controller let go of the Buckets, while it runs: each is told to
// retain its bucket, and deleted. What it does not let go of in time is left to
// releaseRest, which comes when there is no controller any more.
func (r *Removal) letGo(ctx context.Context) error {
	going := r.going(TheBucket, nil)
	if len(going) == 0 {
		return nil
	}
	running, err := r.found.World.Runs(ctx)
	if err != nil || !running {
		return err
	}
	r.tellBuckets("letting go of "+numbered(len(going), "Bucket"), false)
	if err := r.eachBucket(ctx, going, r.delete); err != nil {
		return err
	}
	return r.awaitRelease(ctx)
}

func (r *Removal) tellBuckets(text string, ready bool) {
	r.observe(health.State{Kind: "Bucket", Name: "buckets", Text: text, Ready: ready})
}

func (r *Removal) eachBucket(ctx context.Context, parts []*Part, do func(context.Context, *Part) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(bucketsAtOnce)
	for _, p := range parts {
		group.Go(func() error { return do(ctx, p) })
	}
	return group.Wait()
}

// awaitRelease waits until the Buckets are gone, or until nothing has moved for
// too long.
func (r *Removal) awaitRelease(ctx context.Context) error {
	awaited := "the Buckets to be listed"
	before, moved := -1, r.now()
	err := wait.Until(ctx, r.conn.Dynamic, "", "Bucket", func(all []*unstructured.Unstructured) (bool, error) {
		left := r.markGone(all)
		if len(left) != before {
			before, moved = len(left), r.now()
		}
		if len(left) > 0 {
			awaited = "the controller to let go of " + left[0]
			r.tellBuckets(fmt.Sprintf("waiting for the controller to let go of %s, such as %s", numbered(len(left), "Bucket"), left[0]), false)
		}
		return len(left) == 0 || r.now().Sub(moved) >= noProgress, nil
	}, r.observe)
	if err != nil {
		return problem.While(awaited, err)
	}
	if len(r.pending()) == 0 {
		r.tellBuckets("let go of, their buckets stay", true)
		return nil
	}
	r.observe(health.State{
		Kind: "Bucket", Name: "buckets", Level: health.Warn,
		Text: "the controller does not let go of " + numbered(len(r.pending()), "Bucket") + ": its finalizer is taken off when it is gone",
	})
	return nil
}

func (r *Removal) now() time.Time {
	if r.options.Now == nil {
		return time.Now()
	}
	return r.options.Now()
}

// markGone notes which Buckets are not among all, and names those that are.
func (r *Removal) markGone(all []*unstructured.Unstructured) []string {
	var left []string
	for _, p := range r.going(TheBucket, nil) {
		there := slices.ContainsFunc(all, func(o *unstructured.Unstructured) bool { return o.GetUID() == p.uid })
		p.Done = !there
		if there {
			left = append(left, p.Object)
		}
	}
	return left
}

// pending are the Buckets that are to go and have not.
func (r *Removal) pending() []*Part {
	return r.going(TheBucket, func(p *Part) bool { return !p.Done })
}

// releaseRest does for the Buckets that are left what the controller did not:
// exactly its own finalizer is taken off. That is done only when no controller
// runs, which might take the Bucket up again, or delete the bucket.
func (r *Removal) releaseRest(ctx context.Context) error {
	if err := r.stranded(ctx); err != nil {
		return err
	}
	if len(r.pending()) == 0 {
		return nil
	}
	running, err := r.found.World.Runs(ctx)
	if err != nil {
		return err
	}
	if running {
		return &problem.Error{
			Kind: problem.Failed,
			What: "an ACK S3 controller still runs somewhere in the cluster",
			Why:  "while it does, its finalizer is not taken off the Buckets that are left: it could take them up again",
			Next: "oc get pods -A | grep s3-controller; stop it, then run the same command again",
		}
	}
	r.tellBuckets("no controller runs: taking its finalizer off "+numbered(len(r.pending()), "Bucket"), false)
	if err := r.eachBucket(ctx, r.pending(), r.release); err != nil {
		return err
	}
	if len(r.going(TheBucket, nil)) > 0 {
		r.tellBuckets("let go of, their buckets stay", true)
	}
	return nil
}

// stranded looks once more, now that nobody takes care of Buckets any more.
func (r *Removal) stranded(ctx context.Context) error {
	if len(r.others()) > 0 || !r.endsController() {
		return nil
	}
	now, err := r.listBuckets(ctx)
	if err != nil {
		return err
	}
	for _, b := range now {
		known := slices.ContainsFunc(r.buckets, func(known Bucket) bool { return known.UID == b.UID })
		if b.Managed && !known {
			return &problem.Error{
				Kind: problem.Failed,
				What: "Bucket " + b.String() + " was made while the controller was being removed",
				Why:  "it has the controller's finalizer, and nobody takes that off any more",
				Next: "run the same command again with --force: the object goes, its S3 bucket stays",
			}
		}
	}
	return nil
}

// delete has a Bucket retain its bucket, then deletes it.
func (r *Removal) delete(ctx context.Context, p *Part) error { return r.takeAway(ctx, p, false) }

// release is delete where there is no controller: its finalizer is taken off.
func (r *Removal) release(ctx context.Context, p *Part) error { return r.takeAway(ctx, p, true) }

// takeAway goes on step by step with the Bucket as it is then, until there is
// nothing to be done: each request holds only for what was seen, and only for
// the very object of the plan.
func (r *Removal) takeAway(ctx context.Context, p *Part, release bool) error {
	namespace, name, _ := strings.Cut(p.Ref.Name, "/")
	client := r.conn.Dynamic.Resource(live.Buckets()).Namespace(namespace)
	for range tries {
		object, err := client.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) || err == nil && object.GetUID() != p.uid {
			p.Done = true
			return nil
		}
		if err != nil {
			return r.conn.Translate(err)
		}
		patch := nextPatch(object, release)
		switch {
		case patch != nil:
			err = r.patch(ctx, p, object, patch)
		case object.GetDeletionTimestamp() == nil:
			uid, version := object.GetUID(), object.GetResourceVersion()
			err = client.Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version}})
		default:
			r.held(p, object, release)
			return nil
		}
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return r.conn.Translate(err)
		}
	}
	return &problem.Error{
		Kind: problem.Failed, What: p.Object + " cannot be let go of", Why: "somebody changes it back each time",
		Next: advice.Command("oc get buckets.s3.services.k8s.aws", name, "-n", namespace, "-o", "yaml", "--show-managed-fields") + " shows who; stop that, then run the same command again",
	}
}

// nextPatch is what is to be changed about a Bucket: first that its bucket is to
// stay, which is also put on one that has no finalizer yet, because a controller
// may take it up at any moment; then the finalizer. Nil: nothing.
func nextPatch(object *unstructured.Unstructured, release bool) map[string]any {
	// Without the finalizer, one that is being deleted is out of the controller's hands.
	if ack.Managed(object) || object.GetDeletionTimestamp() == nil {
		if patch := ack.PolicyPatch(object, ack.Retain); patch != nil {
			return patch
		}
	}
	if release {
		return ack.ReleasePatch(object)
	}
	return nil
}

// patch changes the Bucket if it still is as it was seen.
func (r *Removal) patch(ctx context.Context, p *Part, object *unstructured.Unstructured, change map[string]any) error {
	patch := &unstructured.Unstructured{Object: change}
	patch.SetResourceVersion(object.GetResourceVersion())
	patch.SetUID(object.GetUID())
	data, err := json.Marshal(patch.Object)
	if err != nil {
		return fmt.Errorf("%s: %w", p.Object, err)
	}
	_, err = r.conn.Dynamic.Resource(live.Buckets()).Namespace(object.GetNamespace()).
		Patch(ctx, object.GetName(), types.MergePatchType, data, metav1.PatchOptions{FieldManager: apply.Manager})
	return err
}

// held is about a Bucket that is deleted and still there. The controller may
// take its time; the finalizers of others are theirs.
func (r *Removal) held(p *Part, object *unstructured.Unstructured, release bool) {
	if !release {
		return
	}
	p.leave("it is deleted, and waits for "+strings.Join(object.GetFinalizers(), ", "),
		advice.Command("oc get buckets.s3.services.k8s.aws", object.GetName(), "-n", object.GetNamespace(), "-o", "yaml"))
}
