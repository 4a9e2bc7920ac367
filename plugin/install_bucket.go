package plugin

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
)

// lookAtBucket asks S3 whether the bucket may be used. If S3 does not show the tags of an
// earlier install, the app's role decides, and never what the project says alone.
func (i *install) lookAtBucket(ctx context.Context) (err error) {
	if i.bucket, err = i.buckets.Look(ctx, i.facts); err != nil {
		return err
	}
	adopt := i.request.Adopt.Bucket()
	refused := bucket.Guard(i.bucket, i.facts, adopt)
	if refused != nil && i.request.Adopt.Tutorial() && i.adoptableBucket(ctx) {
		adopt = true
		refused = bucket.Guard(i.bucket, i.facts, adopt)
	}
	if refused == nil || !unmarked(i.bucket) || !i.inventory.Found || i.inventory.Foreign {
		return refused
	}
	switch {
	case i.usableBucket(ctx):
		return nil
	case i.getsTags(ctx):
		return bucket.Guard(i.bucket, i.facts, adopt)
	}
	return refused
}

// usableBucket reports whether the role names the bucket, and the controller manages it
// by the project's Bucket resource. A run that uses a role as it is gives it no access
// that it does not have, so there the Bucket resource is enough.
func (i *install) usableBucket(ctx context.Context) bool {
	return (i.given != nil || i.provesBucket(ctx).Proven) && i.managedByOurBucket(ctx)
}

// bucketFinding is lookAtBucket for check. Where the user is not allowed to read the role
// either, nothing shows whose the bucket is.
func (i *install) bucketFinding(ctx context.Context) check.Finding {
	refused := i.lookAtBucket(ctx)
	if refused == nil || !unmarked(i.bucket) || !i.inventory.Found {
		return check.Fail(refused)
	}
	if actual, err := i.actualRole(ctx); err == nil && actual != nil && !actual.Hidden {
		return check.Fail(refused)
	}
	return check.Unseen(i.bucket.Missing+" on the bucket, or iam:GetRole on role "+advice.RoleName(i.before.role.desired.Name).String(),
		"whether the S3 bucket "+i.bucket.Name+" is the project's")
}

// unmarked reports whether S3 did not tell whose the bucket is: the caller may
// not see it, or nobody has put tags on it yet. The controller puts them last,
// so that a run right after one that was cut off may find none.
func unmarked(s bucket.State) bool {
	switch s.Kind {
	case bucket.TagsUnreadable:
		return true
	case bucket.OtherAccount:
		return !s.Sure
	case bucket.Foreign:
		return len(s.Tags) == 0
	}
	return false
}

// How long a run waits for a controller that creates the bucket at this moment, for
// another run or for one that was interrupted.
const (
	creationPatience = 10 * time.Second
	creationPause    = 500 * time.Millisecond
)

// managedByOurBucket reports whether the controller manages the bucket by the project's
// Bucket resource. One that creates the bucket at this moment says so a little later.
func (i *install) managedByOurBucket(ctx context.Context) bool {
	managed := false
	_ = wait.PollUntilContextTimeout(ctx, creationPause, creationPatience, true, func(ctx context.Context) (bool, error) {
		live := i.bucketObject(ctx)
		if live == nil || !apply.Ours(live) || live.GetDeletionTimestamp() != nil {
			return true, nil
		}
		owner := ack.Account(live)
		managed = owner == i.facts.Account.Value
		return owner != "" || !ack.Managed(live), nil
	})
	return managed
}

// getsTags waits for the tags of a bucket that has none yet: the controller writes them
// after it has created the bucket. Then the bucket is one with the project's tags.
func (i *install) getsTags(ctx context.Context) bool {
	if i.bucket.Kind != bucket.Foreign {
		return false
	}
	tagged := false
	_ = wait.PollUntilContextTimeout(ctx, creationPause, creationPatience, true, func(ctx context.Context) (bool, error) {
		live := i.bucketObject(ctx)
		if live == nil || !apply.Ours(live) || live.GetDeletionTimestamp() != nil {
			return true, nil
		}
		found, err := i.buckets.Look(ctx, i.facts)
		if err != nil || unmarked(found) {
			return err != nil, nil
		}
		i.bucket, tagged = found, true
		return true, nil
	})
	return tagged
}
