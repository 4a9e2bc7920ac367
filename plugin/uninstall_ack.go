package plugin

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/wait"
)

// takesCharge is how long the controller may take to adopt a bucket again.
const takesCharge = 45 * time.Second

// throughController has the controller delete the bucket, for a user who may
// not: the object is made once more, with deletion policy "delete", and deleted
// when the controller has taken charge. S3 refuses the controller, too, to
// delete what is not empty; the object then lets go again.
func (u *uninstall) throughController(ctx context.Context, l *line, denied error) error {
	object := u.one(theBucketObject)
	if object == nil || u.project.terminating {
		return u.couldNot(ctx, l, denied)
	}
	u.board.Set("bucket", ui.Busy, "you may not delete it: asking the ACK controller to")
	made, err := u.applier.Make(ctx, ack.ForRemoval(object.item.Live))
	if err != nil {
		return err
	}
	object.item = &apply.Item{Ref: object.item.Ref, Action: apply.Delete, Live: made}
	object.done = false
	charged, err := u.inCharge(ctx, object)
	if err != nil {
		return err
	}
	if !charged {
		return u.letGo(ctx, object, func() error { return u.couldNot(ctx, l, denied) })
	}
	if gone, err := u.deleteObject(ctx, object, ack.Delete); err != nil || !gone {
		return err
	}
	last, err := u.objectGone(ctx, object, func(live *unstructured.Unstructured) bool {
		return live.GetDeletionTimestamp() != nil && refusedByS3(ack.Complaint(live))
	})
	switch {
	case err != nil:
		return u.notReleased(err, last)
	case last == nil:
		object.done = true
		u.bucketRemoved(l)
		return nil
	}
	complaint := ack.Complaint(last)
	return u.letGo(ctx, object, func() error {
		if strings.Contains(complaint, "BucketNotEmpty") {
			return u.keepFull(ctx, l)
		}
		l.leave("neither you nor the ACK controller may delete it: "+complaint,
			"somebody with s3:DeleteBucket: "+advice.Command("aws s3api delete-bucket --bucket", u.bucketName(), "--region", advice.Region(cmp.Or(u.bucket.Region, u.request.Facts.Given.Region.Value)).Word()))
		return nil
	})
}

func refusedByS3(complaint string) bool {
	return strings.Contains(complaint, "BucketNotEmpty") || strings.Contains(complaint, "AccessDenied")
}

// inCharge waits until the controller has put its finalizer on the object: only
// then does deleting the object delete the bucket.
func (u *uninstall) inCharge(ctx context.Context, object *line) (bool, error) {
	limited, cancel := context.WithTimeout(ctx, takesCharge)
	defer cancel()
	err := wait.Until(limited, u.conn.Dynamic, u.namespace(), "Bucket", func(all []*unstructured.Unstructured) (bool, error) {
		for _, live := range all {
			if live.GetName() == object.item.Ref.Name && ack.Managed(live) {
				return true, nil
			}
		}
		return false, nil
	}, u.serverState)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// letGo deletes the object under retain, and then does what is left to do.
func (u *uninstall) letGo(ctx context.Context, object *line, then func() error) error {
	object.item.Action = apply.Delete
	gone, err := u.deleteObject(ctx, object, ack.Retain)
	if err == nil && gone {
		err = u.awaitRelease(ctx, object)
	}
	if err != nil {
		return err
	}
	return then()
}
