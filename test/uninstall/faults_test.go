package uninstall

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testDeniedDeleteBucket: who may not delete the bucket has the controller do it.
func testDeniedDeleteBucket(t *testing.T, bed *testbed.Bed) {
	const namespace = "by-controller"
	admin := installed(t, bed, namespace)
	orders(t, bed.AWS.Deny(t.Context(), "s3:DeleteBucket"))
	uninstall(t, admin, 0, namespace).WantTalk(t, "removed", "bucket by-controller-bucket")
	wantLeft(t, bed, namespace, pvc)
}

// testDeniedAndFull: the user may neither see what is in the bucket nor delete
// it; S3 refuses the controller, and the object lets go again.
func testDeniedAndFull(t *testing.T, bed *testbed.Bed) {
	const namespace = "by-controller-full"
	admin := installed(t, bed, namespace)
	put(t, bed, namespace, "a.txt")
	orders(t, bed.AWS.Deny(t.Context(), "s3:DeleteBucket", "s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketTagging"))
	uninstall(t, admin, 0, namespace).WantTalk(t, "kept", "by-controller-full-bucket", "--delete-data")
	wantLeft(t, bed, namespace, pvc, full(namespace, 1))
}

// testNobodyMayDelete: what cannot be removed is left with the command, exit
// code 1, and the inventory stays for the run that can.
func testNobodyMayDelete(t *testing.T, bed *testbed.Bed) {
	const namespace = "by-nobody"
	admin := installed(t, bed, namespace)
	orders(t, bed.AWS.Fail(t.Context(), testbed.Fault{
		Action: "s3:DeleteBucket", Principal: "any", Code: "AccessDenied", Message: "Access Denied", Status: 403,
	}))
	uninstall(t, admin, 1, namespace).WantTalk(t, "left for you", "aws s3api delete-bucket --bucket by-nobody-bucket --region "+testbed.Region, "not everything could be removed")
	if have := left(t, bed, namespace); !slices.Contains(have, "configmaps/ostoy-s3") || strings.Contains(strings.Join(have, " "), "buckets/") {
		t.Errorf("there is %v", have)
	}
	orders(t, bed.AWS.Reset(t.Context()))
	uninstall(t, admin, 0, namespace)
	wantLeft(t, bed, namespace, pvc)
}

func testDeniedDeleteRole(t *testing.T, bed *testbed.Bed) {
	const namespace = "role-stays"
	admin := installed(t, bed, namespace)
	orders(t, bed.AWS.Deny(t.Context(), "iam:DeleteRole"))
	uninstall(t, admin, 1, namespace).WantTalk(t, "left for you", "role "+roleName(bed, namespace), "iam:DeleteRole")
	if have := left(t, bed, namespace); !slices.Contains(have, "configmaps/ostoy-s3") {
		t.Errorf("the inventory is gone: %v", have)
	}
	orders(t, bed.AWS.Reset(t.Context()))
	uninstall(t, admin, 0, namespace)
	wantLeft(t, bed, namespace, pvc)
}

// testControllerSlow: a controller is there, as far as its pods say, and does
// not let go: the deadline is kept, and a second run ends it.
func testControllerSlow(t *testing.T, bed *testbed.Bed) {
	const namespace = "slow-controller"
	admin := installed(t, bed, namespace)
	bed.ACK.Pause()
	defer bed.ACK.Resume()
	uninstall(t, admin, 1, namespace, "--timeout", "20s").WantTalk(t, "Bucket slow-controller-bucket is not gone within --timeout 20s", "removed so far")
	if have := left(t, bed, namespace); !slices.Contains(have, "configmaps/ostoy-s3") || !slices.Contains(have, full(namespace, 0)) {
		t.Errorf("there is %v", have)
	}
	bed.ACK.Resume()
	uninstall(t, admin, 0, namespace)
	wantLeft(t, bed, namespace, pvc)
}

// testNoController: no controller pod is ready anywhere. Its finalizer is taken
// off, and no other.
func testNoController(t *testing.T, bed *testbed.Bed) {
	const namespace, other = "no-controller", "no-controller-other"
	admin := installed(t, bed, namespace)
	installed(t, bed, other)
	patch(t, bed, ack.Resource(), other, other+"-bucket", `{"metadata":{"finalizers":["example.com/mine","`+ack.Finalizer+`"]}}`)
	bed.ACK.Pause()
	defer bed.ACK.Resume()
	scaleController(t, bed, 0)
	defer scaleController(t, bed, 1)
	uninstall(t, admin, 0, namespace)
	wantLeft(t, bed, namespace, pvc)
	uninstall(t, admin, 1, other).WantTalk(t, "it is deleted, and waits for example.com/mine")
	object, err := bed.Dynamic.Resource(ack.Resource()).Namespace(other).Get(t.Context(), other+"-bucket", metav1.GetOptions{})
	orders(t, err)
	if have := object.GetFinalizers(); !slices.Equal(have, []string{"example.com/mine"}) {
		t.Errorf("finalizers %v", have)
	}
	// What cannot be seen is not assumed: a project admin may not list all pods.
	const third = "no-controller-learner"
	orders(t, bed.NewNamespace(t.Context(), third, "admin-of-"+third))
	learner := run.ProjectAdmin(t, bed, "admin-of-"+third)
	bed.ACK.Resume()
	learner.Run(t, "install", "-n", third, "--oidc-issuer", bed.Issuer).WantCode(t, 0)
	bed.ACK.Pause()
	uninstall(t, learner, 1, third, "--timeout", "20s", "--oidc-issuer", bed.Issuer).WantTalk(t, "whether one runs cannot be seen", "oc patch buckets.s3.services.k8s.aws")
}

func scaleController(t *testing.T, bed *testbed.Bed, replicas int32) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	deployments := bed.Client.AppsV1().Deployments(testbed.ControllerNamespace) // as the chart makes it
	eventuallyScaled := func(ctx context.Context) error {
		live, err := deployments.Get(ctx, "ack-s3-controller-s3-chart", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if *live.Spec.Replicas == replicas {
			return settled(live, replicas)
		}
		live.Spec.Replicas = &replicas
		if _, err := deployments.Update(ctx, live, metav1.UpdateOptions{}); err != nil {
			return err
		}
		return errors.New("scaling")
	}
	if ctx.Err() == nil {
		eventually(t, "the controller is scaled", eventuallyScaled)
	}
}

func settled(live *appsv1.Deployment, replicas int32) error {
	if live.Status.ReadyReplicas != replicas || live.Status.Replicas != replicas {
		return errors.New("not settled")
	}
	return nil
}

// testKindGone: the CRD of Bucket is deleted, and every Bucket with it. The rest
// goes, the bucket too, because the record says that install made it.
func testKindGone(t *testing.T, bed *testbed.Bed) {
	const namespace = "kind-gone"
	admin := installed(t, bed, namespace)
	crds := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	patch(t, bed, ack.Resource(), "no-controller-other", "no-controller-other-bucket", `{"metadata":{"finalizers":null}}`)
	remove(t, bed, crds, "", "buckets.s3.services.k8s.aws")
	eventually(t, "the kind is gone", func(ctx context.Context) error {
		if _, err := bed.Dynamic.Resource(crds).Get(ctx, "buckets.s3.services.k8s.aws", metav1.GetOptions{}); err == nil {
			return errors.New("it is there")
		}
		list, err := bed.Client.Discovery().ServerResourcesForGroupVersion("s3.services.k8s.aws/v1alpha1")
		if err == nil && len(list.APIResources) > 0 {
			return errors.New("it is served")
		}
		return nil
	})
	uninstall(t, admin, 0, namespace).WantTalk(t, "Bucket kind-gone-bucket is forgotten: the cluster no longer serves its kind", "bucket kind-gone-bucket")
	wantLeft(t, bed, namespace, pvc)
}
