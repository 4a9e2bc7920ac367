package ack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
)

const (
	regionKey   = "services.k8s.aws/region"
	deletionKey = "services.k8s.aws/deletion-policy"
	adoptionKey = "services.k8s.aws/adoption-policy"
	fieldsKey   = "services.k8s.aws/adoption-fields"
	adoptedKey  = "services.k8s.aws/adopted"
)

// bucket is one Bucket being reconciled.
type bucket struct {
	*Controller
	client dynamic.ResourceInterface
	s3     *s3.Client
	object *unstructured.Unstructured
	name   string
	region string
	// adopted: the S3 bucket was there before the Bucket, and may have settings
	// that the spec lacks.
	adopted bool
}

// reconcile brings one Bucket forward. It returns after how long to look
// again, or an error to retry with back-off.
func (c *Controller) reconcile(ctx context.Context, key cache.ObjectName) (time.Duration, error) {
	own, err := c.own()
	if err != nil {
		return 0, err
	}
	client := own.Resource(Resource()).Namespace(key.Namespace)
	object, err := client.Get(ctx, key.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	b := &bucket{Controller: c, client: client, object: object, region: c.config.Region}
	b.name = b.called()
	if region := object.GetAnnotations()[regionKey]; region != "" {
		b.region = region
	}
	// Drift stops everything, deletion too, and leaves no condition: so the runtime since 0.53.
	known, _, _ := unstructured.NestedString(object.Object, "status", "ackResourceMetadata", "region")
	if known != "" && known != b.region {
		return 0, fmt.Errorf("Resource already exists in region %s, but the desired state specifies region %s. ", known, b.region) //nolint:staticcheck // the real text
	}
	if b.s3, err = c.client(ctx, b.region); errors.Is(err, errNoPod) {
		return 0, err
	} else if err != nil {
		return 0, errors.Join(err, b.status(ctx, recoverable(err)...))
	}
	if object.GetDeletionTimestamp() != nil {
		return 0, b.remove(ctx)
	}
	again, err := b.ensure(ctx)
	err = finally(err)
	var terminal *terminalError
	switch {
	case errors.As(err, &terminal):
		return 0, b.status(ctx, terminal.conditions()...)
	case errors.Is(err, errNotYet):
		return 0, err
	case err != nil:
		return 0, errors.Join(err, b.status(ctx, recoverable(err)...))
	}
	return again, nil
}

// errNotYet is `adopt` of a bucket that is missing: no condition at all.
var errNotYet = errors.New("resource to adopt not found")

// ensure makes, adopts or updates the bucket.
func (b *bucket) ensure(ctx context.Context) (time.Duration, error) {
	adoption := b.object.GetAnnotations()[adoptionKey]
	if !slices.Contains([]string{"", "adopt", "adopt-or-create"}, adoption) {
		return 0, unrecognized(adoption)
	}
	exists, err := b.exists(ctx)
	if err != nil {
		return 0, err
	}
	managed := slices.Contains(b.object.GetFinalizers(), Finalizer)
	b.adopted = b.object.GetAnnotations()[adoptedKey] == "true" || b.object.GetGeneration() > 1
	switch {
	case managed && exists:
	case exists && adoption == "":
		return 0, alreadyExists()
	case exists:
		if err := b.adopt(ctx, adoption); err != nil {
			return 0, err
		}
	case adoption == "adopt" && !managed:
		return 0, errNotYet
	default:
		return time.Second, b.create(ctx)
	}
	if err := b.sync(ctx); err != nil {
		return 0, err
	}
	if b.lost.has(b.object.GetNamespace()) {
		return 0, b.status(ctx, reconciling()...)
	}
	return 0, b.status(ctx, synced()...)
}

// exists looks through the whole account, as the real one does.
func (b *bucket) exists(ctx context.Context) (bool, error) {
	list, err := b.s3.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list.Buckets, func(found types.Bucket) bool {
		return aws.ToString(found.Name) == b.name
	}), nil
}

// create makes the bucket; its settings follow a second later. A refusal takes
// the finalizer off again, so that the object can be deleted.
func (b *bucket) create(ctx context.Context) error {
	if err := b.setFinalizer(ctx, true); err != nil {
		return err
	}
	input := &s3.CreateBucketInput{Bucket: &b.name}
	if b.region != "us-east-1" {
		input.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(b.region),
		}
	}
	if _, err := b.s3.CreateBucket(ctx, input); err != nil {
		return errors.Join(err, b.setFinalizer(ctx, false))
	}
	b.located()
	return b.status(ctx, created()...)
}

// remove deletes or, unless the policy says delete, lets go of the bucket.
func (b *bucket) remove(ctx context.Context) error {
	if !slices.Contains(b.object.GetFinalizers(), Finalizer) {
		return nil
	}
	if policy := b.object.GetAnnotations()[deletionKey]; policy == "" || policy == "delete" {
		_, err := b.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &b.name})
		if err != nil && !hasCode(err, "NoSuchBucket") {
			// Ready stays as it was, as the real controller leaves it.
			return errors.Join(err, b.status(ctx, recoverableOnly(err)))
		}
	}
	return b.setFinalizer(ctx, false)
}

// setFinalizer adds or removes the finalizer and writes annotations with it.
func (b *bucket) setFinalizer(ctx context.Context, on bool) error {
	finalizers := slices.DeleteFunc(b.object.GetFinalizers(), func(f string) bool { return f == Finalizer })
	if on {
		finalizers = append(finalizers, Finalizer)
	}
	b.object.SetFinalizers(finalizers)
	return b.update(ctx)
}

// update writes metadata and spec, and keeps the status made so far.
func (b *bucket) update(ctx context.Context) error {
	status := b.object.Object["status"]
	updated, err := b.client.Update(ctx, b.object, metav1.UpdateOptions{FieldManager: "controller"})
	if err != nil {
		return err
	}
	b.object = updated
	if status != nil {
		b.object.Object["status"] = status
	}
	return nil
}
