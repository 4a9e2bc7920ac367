package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
)

// Whether install created the bucket or found it is in the inventory, which everybody who
// can edit the project can change. It only keeps a bucket. What lets an empty bucket be
// removed without a question is what AWS says: install creates the role before the Bucket
// resource, so a bucket that it created is not older than the role.

// mayPredate says why the bucket may have existed before install, or "" if it did not.
func (u *uninstall) mayPredate(ctx context.Context) (string, error) {
	created, err := u.buckets.Created(ctx, u.target())
	switch {
	case err != nil && (ctx.Err() != nil || awserr.LoggedOut(err)):
		return "", err
	case awserr.Denied(err):
		return "it is empty, and may have existed before install: you may not see when it was created (s3:ListAllMyBuckets)", nil
	case err != nil && !errors.Is(err, bucket.ErrGone):
		return "it is empty, and may have existed before install: when it was created cannot be read: " + oneLine(err.Error()), nil
	case created.IsZero() || u.proof.Created.IsZero():
		return "it is empty, and may have existed before install: when it was created is not known", nil
	case olderThan(created, u.proof.Created):
		return fmt.Sprintf("it is empty, and may have existed before install: it is older than the role %s", u.proof.Role), nil
	}
	return "", nil
}

// olderThan compares whole seconds, which is as exact as the dates of S3 are.
func olderThan(bucket, role time.Time) bool {
	return bucket.Truncate(time.Second).Before(role.Truncate(time.Second))
}
