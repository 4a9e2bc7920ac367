package live

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
)

// bucketSettings are what S3 says of the bucket's settings, each asked by itself.
type bucketSettings struct {
	public     asked[bucket.PublicAccess]
	policy     asked[string]
	encryption asked[bucket.Encryption]
	ownership  asked[string]
}

// PublicAccess is the bucket's own Block Public Access.
func (w *World) PublicAccess(ctx context.Context) (bucket.PublicAccess, error) {
	return ofBucket(ctx, w, &w.settings.public, (*bucket.Client).PublicAccess)
}

// BucketPolicy is the bucket's policy, "" without one.
func (w *World) BucketPolicy(ctx context.Context) (string, error) {
	return ofBucket(ctx, w, &w.settings.policy, (*bucket.Client).Policy)
}

// Encryption is the bucket's default encryption.
func (w *World) Encryption(ctx context.Context) (bucket.Encryption, error) {
	return ofBucket(ctx, w, &w.settings.encryption, (*bucket.Client).Encryption)
}

// Ownership is the bucket's rule for who owns objects, "" without one.
func (w *World) Ownership(ctx context.Context) (string, error) {
	return ofBucket(ctx, w, &w.settings.ownership, (*bucket.Client).Ownership)
}

// ofBucket asks the bucket something, where it is, once.
func ofBucket[T any](ctx context.Context, w *World, a *asked[T], ask func(*bucket.Client, context.Context, bucket.Target) (T, error)) (T, error) {
	return a.get(ctx, func() (none T, err error) {
		if w.Buckets == nil {
			return none, ErrNoAWS
		}
		state, err := w.BucketState(ctx)
		if err != nil {
			return none, err
		}
		target := bucket.TargetOf(w.Facts)
		if state.Region != "" {
			target.Region = state.Region
		}
		return ask(w.Buckets, ctx, target)
	})
}
