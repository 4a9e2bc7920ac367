package uninstall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// resource is ACK's Bucket in the project, and the line about it.
type resource struct {
	at   place
	line *removal.Line
}

// release deletes the Bucket resource in such a way that the bucket stays, and waits for
// its end.
func (r resource) release(ctx context.Context) error {
	gone, err := r.delete(ctx, ack.Retain)
	if err != nil || !gone {
		return err
	}
	return r.awaitRelease(ctx)
}

// delete sets the deletion policy and deletes the Bucket resource. It is
// false if something else has taken the resource over meanwhile: then it stays.
func (r resource) delete(ctx context.Context, policy string) (bool, error) {
	live, err := r.at.applier.Change(ctx, r.line.Item.Ref, func(live *unstructured.Unstructured) map[string]any {
		if isAnother(r.line.Item, live) {
			return nil
		}
		return ack.PolicyPatch(live, policy)
	})
	switch {
	case err != nil:
		return false, err
	case live != nil && isAnother(r.line.Item, live):
		return false, r.at.applier.CameBack(r.line.Item.Ref, live)
	}
	if live != nil && live.GetDeletionTimestamp() == nil {
		r.line.Item = &apply.Item{Ref: r.line.Item.Ref, Action: apply.Delete, Live: live}
		if err := removal.Delete(ctx, r.at.applier, removal.Lines{r.line}); err != nil {
			return false, err
		}
	}
	return r.line.Fate == removal.Removed, nil
}

// awaitRelease waits until the Bucket resource is gone. If it stays because no controller
// runs that could remove its finalizer, that is removed here; other finalizers stay, and
// then so does the resource.
func (r resource) awaitRelease(ctx context.Context) error {
	const patience = 5 * time.Second
	for {
		limited, cancel := context.WithTimeout(ctx, patience)
		last, err := r.gone(limited, nil)
		cancel()
		switch {
		case ctx.Err() != nil:
			return r.notReleased(ctx.Err(), last)
		case err == nil && last == nil:
			r.line.Done = true
			return nil
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			return err
		}
		if last == nil { // nobody has shown it yet
			continue
		}
		if !ack.Managed(last) {
			r.line.Done = false
			r.line.Leave("it is deleted, and waits for "+strings.Join(last.GetFinalizers(), ", "), advice.Command("oc get", r.line.Item.Ref.Resource(), "-n", r.at.namespace, "-o", "yaml"))
			return nil
		}
		if err := r.releaseForController(ctx); err != nil {
			return err
		}
	}
}

// releaseForController does what the controller would do, if there is none.
func (r resource) releaseForController(ctx context.Context) error {
	running, err := (&live.World{Conn: r.at.conn}).Runs(ctx)
	switch {
	case ctx.Err() != nil:
		return nil // the caller sees it, too
	case err != nil:
		r.at.board.Set("bucket", ui.Warned, "waiting for the ACK controller to let go of it; whether one runs cannot be seen")
		return nil
	case running:
		r.at.board.Set("bucket", ui.Busy, "waiting for the ACK controller to let go of it")
		return nil
	}
	r.at.board.Set("bucket", ui.Busy, "no ACK controller runs: taking its finalizer off")
	_, err = r.at.applier.Change(ctx, r.line.Item.Ref, func(live *unstructured.Unstructured) map[string]any {
		if isAnother(r.line.Item, live) {
			return nil // the caller sees it, too
		}
		return ack.ReleasePatch(live)
	})
	return err
}

// gone waits until the Bucket resource is gone, or until stop, which may be
// nil, ends the wait. It gives the resource as it was last.
func (r resource) gone(ctx context.Context, stop func(*unstructured.Unstructured) bool) (*unstructured.Unstructured, error) {
	var last *unstructured.Unstructured
	err := wait.Until(ctx, r.at.conn.Dynamic, r.at.namespace, kinds.Bucket, func(all []*unstructured.Unstructured) (bool, error) {
		last = nil
		for _, object := range all {
			if object.GetName() != r.line.Item.Ref.Name {
				continue
			}
			if isAnother(r.line.Item, object) {
				return false, r.at.applier.CameBack(r.line.Item.Ref, object)
			}
			last = object.DeepCopy()
		}
		return last == nil || stop != nil && stop(last), nil
	}, r.at.observe)
	return last, err
}

// notReleased is the error of a wait that has ended with the Bucket resource still there.
func (r resource) notReleased(ended error, last *unstructured.Unstructured) error {
	if last == nil { // nobody has shown it
		return problem.While("the object Bucket of "+r.at.namespace+" to be listed", ended)
	}
	if !errors.Is(ended, context.DeadlineExceeded) {
		return ended
	}
	why := "the ACK controller has not let go of it"
	if text := ack.Complaint(last); text != "" {
		why += ": " + text
	}
	return problem.Fail(fmt.Sprintf("the object Bucket %s is not gone within --timeout %s", last.GetName(), r.at.timeout),
		why+"; "+r.at.done.soFar(),
		"look at the controller ("+advice.Command("oc ostoy-s3 controller status")+"), then run the same command again; "+
			"if there is no controller, remove the finalizer, which keeps the bucket:\n"+
			advice.MergePatch(map[string]any{"metadata": map[string]any{"finalizers": nil}}, "buckets.s3.services.k8s.aws", last.GetName(), "-n", r.at.namespace))
}

// adoptionTime is how long the controller may take to adopt a bucket again.
const adoptionTime = 45 * time.Second

// throughController has the controller delete the bucket, for a user who is not allowed
// to: the Bucket resource is created once more, with deletion policy "delete", and deleted
// when the controller has put its finalizer on it. S3 refuses the controller, too, to
// delete what is not empty; the Bucket resource is then deleted under retain.
func (s store) throughController(ctx context.Context, l *removal.Line, r resource, denied error) error {
	s.at.board.Set("bucket", ui.Busy, "you may not delete it: asking the ACK controller to")
	made, err := s.at.applier.Make(ctx, ack.ForRemoval(r.line.Item.Live))
	if err != nil {
		return err
	}
	r.line.Item = &apply.Item{Ref: r.line.Item.Ref, Action: apply.Delete, Live: made}
	r.line.Done = false
	adopted, err := r.adopted(ctx)
	switch {
	case err != nil:
		return err
	case !adopted:
		if err := r.release(ctx); err != nil {
			return err
		}
		return l.Fail(ctx, denied)
	}
	if gone, err := r.delete(ctx, ack.Delete); err != nil || !gone {
		return err
	}
	last, err := r.gone(ctx, func(live *unstructured.Unstructured) bool {
		return live.GetDeletionTimestamp() != nil && refusedByS3(ack.Complaint(live))
	})
	switch {
	case err != nil:
		return r.notReleased(err, last)
	case last == nil:
		r.line.Done = true
		s.removed(l)
		return nil
	}
	if err := r.release(ctx); err != nil {
		return err
	}
	complaint := ack.Complaint(last)
	if strings.Contains(complaint, "BucketNotEmpty") {
		return s.keepFull(ctx, l)
	}
	e := s.evidence
	region := advice.Region(cmp.Or(e.bucket.state.Region, e.app.request.Facts.Given.Region.Value))
	l.Leave("neither you nor the ACK controller may delete it: "+complaint,
		"somebody with s3:DeleteBucket: "+advice.Command("aws s3api delete-bucket --bucket", e.app.bucketName(), "--region", region.Word()))
	return nil
}

func refusedByS3(complaint string) bool {
	return strings.Contains(complaint, "BucketNotEmpty") || strings.Contains(complaint, "AccessDenied")
}

// adopted waits until the controller has put its finalizer on the Bucket resource: only
// then does deleting that delete the bucket.
func (r resource) adopted(ctx context.Context) (bool, error) {
	limited, cancel := context.WithTimeout(ctx, adoptionTime)
	defer cancel()
	err := wait.Until(limited, r.at.conn.Dynamic, r.at.namespace, kinds.Bucket, func(all []*unstructured.Unstructured) (bool, error) {
		return slices.ContainsFunc(all, func(live *unstructured.Unstructured) bool {
			return live.GetName() == r.line.Item.Ref.Name && ack.Managed(live)
		}), nil
	}, r.at.observe)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}
