package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/wait"
)

// executeBucket empties the bucket where its data was given up, lets go of its
// object, and has S3 delete it, which S3 does only while it is empty.
func (u *uninstall) executeBucket(ctx context.Context) error {
	l := u.one(theBucket)
	wanted := l != nil && l.fate == fateRemoved
	if wanted {
		if err := u.empty(ctx, l); err != nil {
			return err
		}
	}
	if err := u.release(ctx); err != nil {
		return err
	}
	if !wanted || l.fate != fateRemoved {
		return nil
	}
	return u.removeBucket(ctx, l)
}

// empty deletes everything in the bucket with --delete-data, and else only what
// verify has put there.
func (u *uninstall) empty(ctx context.Context, l *line) error {
	if !u.request.DeleteData && (u.contents == nil || u.contents.Ours == 0) {
		return nil
	}
	err := u.buckets.Empty(ctx, u.target(), !u.request.DeleteData, func(deleted int64) {
		u.emptied = deleted
		u.board.Set("bucket", ui.Busy, fmt.Sprintf("emptying: %d deleted", deleted))
	})
	if err != nil {
		u.board.Set("bucket", ui.Failed, "not emptied")
		return u.couldNot(ctx, l, err)
	}
	return nil
}

// release deletes the Bucket object in such a way that the bucket stays.
func (u *uninstall) release(ctx context.Context) error {
	l := u.one(theBucketObject)
	if l == nil {
		return nil
	}
	gone, err := u.deleteObject(ctx, l, ack.Retain)
	if err != nil || !gone {
		return err
	}
	return u.awaitRelease(ctx, l)
}

// deleteObject sets the policy and deletes the object. It is false where
// somebody took the object over meanwhile: then it stays.
func (u *uninstall) deleteObject(ctx context.Context, l *line, policy string) (bool, error) {
	live, err := u.applier.Change(ctx, l.item.Ref, func(live *unstructured.Unstructured) map[string]any {
		if l.isAnother(live) {
			return nil
		}
		return ack.PolicyPatch(live, policy)
	})
	switch {
	case err != nil:
		return false, err
	case live != nil && l.isAnother(live):
		return false, u.applier.CameBack(l.item.Ref, live)
	}
	if live != nil && live.GetDeletionTimestamp() == nil {
		l.item = &apply.Item{Ref: l.item.Ref, Action: apply.Delete, Live: live}
		if err := u.remove(ctx, []*line{l}); err != nil {
			return false, err
		}
	}
	return l.fate == fateRemoved, nil
}

// hangs is after how long a Bucket that is not gone is looked after.
const hangs = 5 * time.Second

// awaitRelease waits until the object is gone. Where it hangs because no
// controller runs that could let go of it, the controller's finalizer is taken
// off; those of others stay, and then so does the object.
func (u *uninstall) awaitRelease(ctx context.Context, l *line) error {
	for {
		limited, cancel := context.WithTimeout(ctx, hangs)
		last, err := u.objectGone(limited, l, nil)
		cancel()
		switch {
		case ctx.Err() != nil:
			return u.notReleased(ctx.Err(), last)
		case err == nil && last == nil:
			l.done = true
			return nil
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			return err
		}
		if last == nil { // nobody has shown it yet
			continue
		}
		if !ack.Managed(last) {
			l.done = false
			l.leave("it is deleted, and waits for "+strings.Join(last.GetFinalizers(), ", "), advice.Command("oc get", l.item.Ref.Resource(), "-n", u.namespace(), "-o", "yaml"))
			return nil
		}
		if err := u.releaseForController(ctx, l); err != nil {
			return err
		}
	}
}

// releaseForController does what the controller would do, if there is none.
func (u *uninstall) releaseForController(ctx context.Context, l *line) error {
	running, err := (&live.World{Conn: u.conn}).Runs(ctx)
	switch {
	case ctx.Err() != nil:
		return nil // the caller sees it, too
	case err != nil:
		u.board.Set("bucket", ui.Warned, "waiting for the ACK controller to let go of it; whether one runs cannot be seen")
		return nil
	case running:
		u.board.Set("bucket", ui.Busy, "waiting for the ACK controller to let go of it")
		return nil
	}
	u.board.Set("bucket", ui.Busy, "no ACK controller runs: taking its finalizer off")
	_, err = u.applier.Change(ctx, l.item.Ref, func(live *unstructured.Unstructured) map[string]any {
		if l.isAnother(live) {
			return nil // the caller sees it, too
		}
		return ack.ReleasePatch(live)
	})
	return err
}

// objectGone waits until the object is gone, or until stop says so of it. It
// gives the object as it was last.
func (u *uninstall) objectGone(ctx context.Context, l *line, stop func(*unstructured.Unstructured) bool) (*unstructured.Unstructured, error) {
	var last *unstructured.Unstructured
	err := wait.Until(ctx, u.conn.Dynamic, u.namespace(), "Bucket", func(all []*unstructured.Unstructured) (bool, error) {
		last = nil
		for _, object := range all {
			if object.GetName() != l.item.Ref.Name {
				continue
			}
			if l.isAnother(object) {
				return false, u.applier.CameBack(l.item.Ref, object)
			}
			last = object.DeepCopy()
		}
		return last == nil || stop != nil && stop(last), nil
	}, u.serverState)
	return last, err
}

func (u *uninstall) notReleased(ended error, last *unstructured.Unstructured) error {
	if last == nil { // nobody has shown it
		return problem.While("the object Bucket of "+u.namespace()+" to be listed", ended)
	}
	if !errors.Is(ended, context.DeadlineExceeded) {
		return ended
	}
	why := "the ACK controller has not let go of it"
	if text := ack.Complaint(last); text != "" {
		why += ": " + text
	}
	return &problem.Error{
		Kind: problem.Failed,
		What: fmt.Sprintf("the object Bucket %s is not gone within --timeout %s", last.GetName(), u.request.Timeout),
		Why:  why + "; " + u.doneSoFar(),
		Next: "look at the controller (" + advice.Command("oc ostoy-s3 controller status") + "), then run the same command again; " +
			"if there is no controller, remove the finalizer, which keeps the bucket:\n" +
			advice.MergePatch(map[string]any{"metadata": map[string]any{"finalizers": nil}}, "buckets.s3.services.k8s.aws", last.GetName(), "-n", u.namespace()),
	}
}

// removeBucket has S3 delete the bucket. Whoever may not do that has the
// controller do it.
func (u *uninstall) removeBucket(ctx context.Context, l *line) error {
	u.board.Set("bucket", ui.Busy, "deleting")
	err := u.buckets.Remove(ctx, u.target())
	if errors.Is(err, bucket.ErrNotEmpty) && u.onlyProofs(ctx) {
		err = u.buckets.Remove(ctx, u.target())
	}
	switch {
	case err == nil, errors.Is(err, bucket.ErrGone):
		u.bucketRemoved(l)
		return nil
	case errors.Is(err, bucket.ErrNotEmpty):
		return u.keepFull(ctx, l)
	case awserr.Denied(err):
		return u.throughController(ctx, l, err)
	}
	u.board.Set("bucket", ui.Failed, "not removed")
	return u.couldNot(ctx, l, err)
}

// onlyProofs takes away what a verify beside us has written meanwhile. It is false
// where there is anything else in the bucket.
func (u *uninstall) onlyProofs(ctx context.Context) bool {
	contents, err := u.buckets.Count(ctx, u.target())
	if err != nil || contents.Partial || contents.Data() {
		return false
	}
	return u.buckets.Empty(ctx, u.target(), true, nil) == nil
}

func (u *uninstall) bucketRemoved(l *line) {
	l.done = true
	u.board.Set("bucket", ui.Done, "removed")
}

// keepFull keeps a bucket that turned out not to be empty, and counts again.
func (u *uninstall) keepFull(ctx context.Context, l *line) error {
	if contents, err := u.buckets.Count(ctx, u.target()); err == nil {
		l.Contents = &contents
	}
	u.board.Set("bucket", ui.Kept, "kept: it is not empty")
	if u.request.DeleteData {
		l.leave("something writes to it while it is emptied: "+amount(l.Contents), "")
		return ctx.Err()
	}
	l.keep(amount(l.Contents), u.later())
	return ctx.Err()
}
