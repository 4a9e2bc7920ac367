package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// sweeper cleans up behind the scenes while others are played, so that a bed
// lasts for hundreds of them. It takes away what a scene is known to have made,
// and nothing else: what else there is, is left behind.
type sweeper struct {
	bed  *testbed.Bed
	ctx  context.Context
	turn chan struct{}
	work sync.WaitGroup

	lock sync.Mutex
	errs []error
}

func newSweeper(ctx context.Context, bed *testbed.Bed) *sweeper {
	const atOnce = 32 // mostly waiting for controllers
	return &sweeper{bed: bed, ctx: ctx, turn: make(chan struct{}, atOnce)}
}

// add has a namespace swept away.
func (s *sweeper) add(namespace string) {
	s.work.Go(func() {
		s.turn <- struct{}{}
		defer func() { <-s.turn }()
		if err := s.sweep(namespace); err != nil {
			s.lock.Lock()
			defer s.lock.Unlock()
			s.errs = append(s.errs, fmt.Errorf("clean up %s: %w", namespace, err))
		}
	})
}

// wait waits until all is swept.
func (s *sweeper) wait() error {
	s.work.Wait()
	s.lock.Lock()
	defer s.lock.Unlock()
	return errors.Join(s.errs...)
}

func (s *sweeper) sweep(namespace string) error {
	ctx, cancel := context.WithTimeout(s.ctx, 8*time.Minute)
	defer cancel()
	namespaces := s.bed.Client.CoreV1().Namespaces()
	if err := namespaces.Delete(ctx, namespace, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	// The controller lets go of the bucket first, or it would make it again.
	err := testbed.Poll(ctx, 500*time.Millisecond, func(ctx context.Context) error {
		_, err := namespaces.Get(ctx, namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(errors.New("the namespace is still there"), err)
	})
	if err != nil {
		return err
	}
	return errors.Join(s.bucket(ctx, namespace+"-bucket"), s.role(ctx, world.RoleName(s.bed.Issuer, namespace)))
}

func (s *sweeper) bucket(ctx context.Context, name string) error {
	client := s.bed.S3()
	versions, err := client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &name})
	if err != nil {
		return unless(err, "NoSuchBucket")
	}
	var all []s3types.ObjectIdentifier
	for _, v := range versions.Versions {
		all = append(all, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
	}
	for _, m := range versions.DeleteMarkers {
		all = append(all, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
	}
	if len(all) > 0 {
		if _, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &name, Delete: &s3types.Delete{Objects: all}}); err != nil {
			return err
		}
	}
	_, err = client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
	return err
}

func (s *sweeper) role(ctx context.Context, name string) error {
	client := s.bed.IAM()
	policies, err := client.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &name})
	if err != nil {
		return unless(err, "NoSuchEntity")
	}
	for _, policy := range policies.PolicyNames {
		if _, err := client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: &policy}); err != nil {
			return err
		}
	}
	_, err = client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name})
	return err
}

// unless passes an error on that has another code.
func unless(err error, code string) error {
	var answer interface{ ErrorCode() string }
	if errors.As(err, &answer) && answer.ErrorCode() == code {
		return nil
	}
	return err
}
