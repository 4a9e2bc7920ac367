package ack

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// The settings below are absent from an S3 bucket that the controller created and
// whose Bucket never stated them: then S3 is not asked.

func (b *bucket) putACL(ctx context.Context, want spec) error {
	if want.ACL == "" {
		return nil
	}
	_, err := b.s3.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: &b.name, ACL: types.BucketCannedACL(want.ACL)})
	return err
}

// putVersioning suspends versioning that the spec does not state
// (DefaultVersioningStatus in pkg/resource/bucket/hook.go of the controller).
func (b *bucket) putVersioning(ctx context.Context, want spec) error {
	status := types.BucketVersioningStatusSuspended
	switch {
	case want.Versioning != nil:
		status = types.BucketVersioningStatus(want.Versioning.Status)
	case !b.adopted:
		return nil
	default:
		found, err := b.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &b.name})
		if err != nil || found.Status != types.BucketVersioningStatusEnabled {
			return err
		}
	}
	_, err := b.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &b.name, VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	})
	return err
}

func (b *bucket) putLifecycle(ctx context.Context, want spec) error {
	switch {
	case want.Lifecycle != nil:
		_, err := b.s3.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: &b.name, LifecycleConfiguration: want.Lifecycle})
		return err
	case b.adopted:
		_, err := b.s3.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: &b.name})
		return err
	}
	return nil
}

func (b *bucket) putCORS(ctx context.Context, want spec) error {
	switch {
	case want.CORS != nil:
		_, err := b.s3.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: &b.name, CORSConfiguration: want.CORS})
		return err
	case b.adopted:
		_, err := b.s3.DeleteBucketCors(ctx, &s3.DeleteBucketCorsInput{Bucket: &b.name})
		return err
	}
	return nil
}

func (b *bucket) putWebsite(ctx context.Context, want spec) error {
	switch {
	case want.Website != nil:
		_, err := b.s3.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{Bucket: &b.name, WebsiteConfiguration: want.Website})
		return err
	case b.adopted:
		_, err := b.s3.DeleteBucketWebsite(ctx, &s3.DeleteBucketWebsiteInput{Bucket: &b.name})
		return err
	}
	return nil
}

// putLogging switches off logging that the spec does not state.
func (b *bucket) putLogging(ctx context.Context, want spec) error {
	switch {
	case want.Logging == nil && !b.adopted:
		return nil
	case want.Logging == nil:
		want.Logging = &types.BucketLoggingStatus{}
	}
	_, err := b.s3.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: &b.name, BucketLoggingStatus: want.Logging})
	return err
}

// putAccelerate suspends an acceleration that the spec does not state: it cannot be
// deleted (DefaultAccelerationStatus in hook.go).
func (b *bucket) putAccelerate(ctx context.Context, want spec) error {
	if want.Accelerate == nil {
		if !b.adopted {
			return nil
		}
		found, err := b.s3.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: &b.name})
		if err != nil || found.Status != types.BucketAccelerateStatusEnabled {
			return err
		}
		want.Accelerate = &types.AccelerateConfiguration{Status: types.BucketAccelerateStatusSuspended}
	}
	_, err := b.s3.PutBucketAccelerateConfiguration(ctx, &s3.PutBucketAccelerateConfigurationInput{Bucket: &b.name, AccelerateConfiguration: want.Accelerate})
	return err
}

// putPayment has the owner pay unless the spec states somebody else (DefaultPayer).
func (b *bucket) putPayment(ctx context.Context, want spec) error {
	if want.RequestPayment == nil {
		if !b.adopted {
			return nil
		}
		found, err := b.s3.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: &b.name})
		if err != nil || found.Payer != types.PayerRequester {
			return err
		}
		want.RequestPayment = &types.RequestPaymentConfiguration{Payer: types.PayerBucketOwner}
	}
	_, err := b.s3.PutBucketRequestPayment(ctx, &s3.PutBucketRequestPaymentInput{Bucket: &b.name, RequestPaymentConfiguration: want.RequestPayment})
	return err
}

// putNotification removes the notifications that the spec does not state.
func (b *bucket) putNotification(ctx context.Context, want spec) error {
	switch {
	case want.Notification == nil && !b.adopted:
		return nil
	case want.Notification == nil:
		want.Notification = &types.NotificationConfiguration{}
	}
	_, err := b.s3.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: &b.name, NotificationConfiguration: want.Notification})
	return err
}

func (b *bucket) putReplication(ctx context.Context, want spec) error {
	switch {
	case want.Replication != nil:
		_, err := b.s3.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: &b.name, ReplicationConfiguration: want.Replication})
		return err
	case b.adopted:
		_, err := b.s3.DeleteBucketReplication(ctx, &s3.DeleteBucketReplicationInput{Bucket: &b.name})
		return err
	}
	return nil
}
