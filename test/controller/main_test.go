// Package controller_test brings the ACK S3 controller to clusters that have none,
// looks at it, upgrades it and takes it away, kills runs that do, with an OLM, a webhook and an IAM that
// do what the real ones are known to do to a person at it. A cluster has one
// controller, so that the scenes of a bed are played one after the other, each from
// a cluster without one.
package controller_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// beds is how many clusters there are. A scene mostly waits: for OLM, and five seconds
// for each namespace to go.
const beds = 4

func TestMain(m *testing.M) {
	os.Exit(run.MainLending(m, testbed.Options{Platform: testbed.ROSAClassic, NoController: true}, beds))
}

// Exit codes.
const (
	done     = 0
	failed   = 1
	misused  = 2
	notReady = 3
	refused  = 4
)

const (
	namespace  = "ack-system"
	definition = "buckets.s3.services.k8s.aws"
)

// scene is a cluster without a controller, as each test begins with.
type scene struct {
	*testbed.Bed
	Admin run.User
	mark  int64
}

func begin(t *testing.T) *scene {
	t.Helper()
	return beginOn(t, run.BorrowedBed(t))
}

func beginOn(t *testing.T, bed *testbed.Bed) *scene {
	t.Helper()
	s := &scene{Bed: bed, Admin: run.Admin(bed)}
	s.reset(t) // what the test before has left
	s.mark = bed.KubeMark()
	return s
}

func resource(group, version, name string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: name}
}

func olm(name string) schema.GroupVersionResource {
	return resource("operators.coreos.com", "v1alpha1", name)
}

// reset takes everything of a controller out of the cluster and AWS, by other
// means than the tool's own.
func (s *scene) reset(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 3*time.Minute)
	defer cancel()
	s.CrashController("")
	must(t, s.AWS.Reset(ctx))
	s.Webhook.Miss(namespace, 0)
	s.letGoOfBuckets(ctx, t)
	if s.OLM != nil {
		s.OLM.Reset()
		for _, kind := range []string{"subscriptions", "clusterserviceversions", "installplans"} {
			s.deleteAll(ctx, t, olm(kind))
		}
	}
	for _, role := range []string{"ostoy-s3-buckets-edit", "ostoy-s3-buckets-view", chartDeployment} {
		must(t, ignoreAbsent(s.Client.RbacV1().ClusterRoles().Delete(ctx, role, metav1.DeleteOptions{})))
		must(t, ignoreAbsent(s.Client.RbacV1().ClusterRoleBindings().Delete(ctx, role, metav1.DeleteOptions{})))
	}
	for _, kind := range admissionKinds() {
		must(t, ignoreAbsent(s.Dynamic.Resource(kind).Delete(ctx, policyName, metav1.DeleteOptions{})))
	}
	must(t, ignoreAbsent(s.Dynamic.Resource(crds()).Delete(ctx, definition, metav1.DeleteOptions{})))
	namespaces := []string{namespace, "elsewhere", "demo", "second"}
	for _, name := range namespaces {
		must(t, ignoreAbsent(s.Client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})))
	}
	must(t, testbed.Poll(ctx, 250*time.Millisecond, func(ctx context.Context) error {
		for _, name := range namespaces {
			if _, err := s.Client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				return fmt.Errorf("namespace %s is still there (%w)", name, err)
			}
		}
		return nil
	}))
	must(t, testbed.Poll(ctx, 100*time.Millisecond, func(ctx context.Context) error {
		if _, err := s.Dynamic.Resource(crds()).Get(ctx, definition, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("%s is still there (%w)", definition, err)
		}
		return nil
	}))
	s.removeRoles(ctx, t)
	s.removeBuckets(ctx, t)
}

func crds() schema.GroupVersionResource {
	return resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
}

func (s *scene) letGoOfBuckets(ctx context.Context, t *testing.T) {
	t.Helper()
	list, err := s.Dynamic.Resource(buckets()).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return
	}
	must(t, err)
	for _, one := range list.Items {
		here := s.Dynamic.Resource(buckets()).Namespace(one.GetNamespace())
		must(t, ignoreAbsent(here.Delete(ctx, one.GetName(), metav1.DeleteOptions{})))
		_, err := here.Patch(ctx, one.GetName(), "application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		must(t, ignoreAbsent(err))
	}
}

func (s *scene) deleteAll(ctx context.Context, t *testing.T, kind schema.GroupVersionResource) {
	t.Helper()
	list, err := s.Dynamic.Resource(kind).List(ctx, metav1.ListOptions{})
	must(t, err)
	for _, one := range list.Items {
		must(t, ignoreAbsent(s.Dynamic.Resource(kind).Namespace(one.GetNamespace()).Delete(ctx, one.GetName(), metav1.DeleteOptions{})))
	}
}

func ignoreAbsent(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (s *scene) removeRoles(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, name := range s.roles(ctx, t) {
		policies, err := s.IAM().ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: aws.String(name)})
		must(t, err)
		for _, policy := range policies.PolicyNames {
			_, err := s.IAM().DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String(policy)})
			must(t, err)
		}
		attached, err := s.IAM().ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(name)})
		must(t, err)
		for _, policy := range attached.AttachedPolicies {
			_, err := s.IAM().DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String(name), PolicyArn: policy.PolicyArn})
			must(t, err)
		}
		_, err = s.IAM().DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String(name)})
		must(t, err)
	}
}

// removeBuckets removes all S3 buckets.
func (s *scene) removeBuckets(ctx context.Context, t *testing.T) {
	t.Helper()
	all, err := s.S3().ListBuckets(ctx, &s3.ListBucketsInput{})
	must(t, err)
	for _, one := range all.Buckets {
		objects, err := s.S3().ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: one.Name})
		must(t, err)
		for _, object := range objects.Contents {
			_, err := s.S3().DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: one.Name, Key: object.Key})
			must(t, err)
		}
		_, err = s.S3().DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: one.Name})
		must(t, err)
	}
}

// roles are the names of all roles of our paths.
func (s *scene) roles(ctx context.Context, t *testing.T) []string {
	t.Helper()
	var names []string
	for _, path := range []string{"/ostoy-s3/", "/ostoy-s3-controller/"} {
		out, err := s.IAM().ListRoles(ctx, &iam.ListRolesInput{PathPrefix: aws.String(path)})
		must(t, err)
		for _, role := range out.Roles {
			names = append(names, aws.ToString(role.RoleName))
		}
	}
	return names
}

// objects are the names of all objects of a kind in the controller's namespace.
func (s *scene) objects(t *testing.T, kind schema.GroupVersionResource) []*unstructured.Unstructured {
	t.Helper()
	list, err := s.Dynamic.Resource(kind).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
	must(t, ignoreAbsent(err))
	var all []*unstructured.Unstructured
	if list != nil {
		for i := range list.Items {
			all = append(all, &list.Items[i])
		}
	}
	return all
}

func (s *scene) object(t *testing.T, kind schema.GroupVersionResource, name string) *unstructured.Unstructured {
	t.Helper()
	for _, one := range s.objects(t, kind) {
		if one.GetName() == name {
			return one
		}
	}
	t.Fatalf("no %s %s in %s", kind.Resource, name, namespace)
	return nil
}

// wantNothingWritten: no request since the scene began has changed anything.
func (s *scene) wantNothingWritten(t *testing.T) {
	t.Helper()
	asked, err := s.KubeRequests(s.mark, run.Name)
	must(t, err)
	if len(asked) == 0 {
		t.Error("no request is on record")
	}
	for _, r := range asked {
		review := strings.Contains(r.URI, "authorization.k8s.io") || strings.Contains(r.URI, "selfsubjectreviews")
		reads := slices.Contains([]string{"get", "list", "watch"}, r.Verb)
		if !reads && !review && !strings.Contains(r.URI, "dryRun=All") {
			t.Errorf("written: %s %s", r.Verb, r.URI)
		}
	}
	if roles := s.roles(t.Context(), t); len(roles) > 0 {
		t.Errorf("roles were made: %v", roles)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits for what others do in their own time.
func eventually(t *testing.T, what string, ready func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := testbed.Poll(ctx, 100*time.Millisecond, ready); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
