package testbed_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testBucketRefusals: what AWS refuses the controller, in the conditions that the real one
// writes then.
func testBucketRefusals(t *testing.T, bed *testbed.Bed) {
	other, err := bed.OtherS3(t.Context(), "222222222222")
	if err != nil {
		t.Fatal(err)
	}
	place := &types.CreateBucketConfiguration{LocationConstraint: testbed.Region}
	for _, c := range []struct {
		namespace, kind string
		maker           *s3.Client
	}{
		{"theirs", "ACK.Recoverable", other},
		{"ours", "ACK.Terminal", bed.S3()},
		{"sthree-x", "ACK.Recoverable", nil},
	} {
		name := aws.String(c.namespace + "-bucket")
		if c.maker != nil {
			if _, err := c.maker.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: name, CreateBucketConfiguration: place}); err != nil {
				t.Fatal(err)
			}
		}
		if err := bed.NewNamespace(t.Context(), c.namespace); err != nil {
			t.Fatal(err)
		}
		apply(t, bed, c.namespace, bucketManifest)
		eventually(t, c.namespace, bucketCondition(bed, c.namespace, c.kind, "True"))
		eventually(t, c.namespace, bucketCondition(bed, c.namespace, "Ready", "False"))
	}
	if _, err := bed.S3().HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("theirs-bucket")}); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("another account's bucket: %v", err)
	}
	wrong := &s3.HeadBucketInput{Bucket: aws.String("ours-bucket"), ExpectedBucketOwner: aws.String("222222222222")}
	if _, err := bed.S3().HeadBucket(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("a wrong ExpectedBucketOwner: %v", err)
	}
}

// testWebhook: the pod identity webhook injects, unless told to miss.
func testWebhook(t *testing.T, bed *testbed.Bed) {
	const namespace = "hooked"
	if err := bed.NewNamespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	bed.Webhook.Miss(namespace, 1)
	apply(t, bed, namespace, appManifest)
	pods := bed.Client.CoreV1().Pods(namespace)
	pod := func(injected bool) func(context.Context) error {
		return func(ctx context.Context) error {
			list, err := pods.List(ctx, metav1.ListOptions{})
			if err != nil {
				return err
			}
			for _, pod := range list.Items {
				if pod.DeletionTimestamp == nil && strings.Contains(fmt.Sprint(pod.Spec.Containers), "AWS_ROLE_ARN") == injected {
					return nil
				}
			}
			return fmt.Errorf("%d pods, none with injected %v", len(list.Items), injected)
		}
	}
	eventually(t, "missed", pod(false))
	if err := pods.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "injected", pod(true))
}

// testFailingPods: a failure on order, with the reason where kubelet puts it.
func testFailingPods(t *testing.T, bed *testbed.Bed) {
	const namespace = "failing"
	if err := bed.NewNamespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	if err := bed.FailPods(t.Context(), namespace, testbed.FailInit, `HeadBucket: "Forbidden"`); err != nil {
		t.Fatal(err)
	}
	apply(t, bed, namespace, appManifest)
	eventually(t, "termination message", func(ctx context.Context) error {
		list, err := bed.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, pod := range list.Items {
			for _, status := range pod.Status.InitContainerStatuses {
				if last := status.LastTerminationState.Terminated; last != nil && last.Message == `HeadBucket: "Forbidden"` && pod.Status.Phase == corev1.PodPending {
					return nil
				}
			}
		}
		return fmt.Errorf("%d pods, none with the message", len(list.Items))
	})
	if err := bed.HealPods(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
}

// testCounts: requests can be counted, the bed's own are not.
func testCounts(t *testing.T, bed *testbed.Bed) {
	mark := bed.KubeMark()
	if _, err := kubectl(t.Context(), bed, bed.Kubeconfig, "get", "nodes"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "audit log", func(context.Context) error {
		requests, err := bed.KubeRequests(mark, "kubectl/")
		if err != nil {
			return err
		}
		for _, request := range requests {
			if request.Object != nil && request.Object.Resource == "nodes" && request.Status.Code == http.StatusOK {
				return nil
			}
		}
		return fmt.Errorf("%d requests, none for nodes", len(requests))
	})
	all, err := bed.KubeRequests(0, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range all {
		if request.User.Username == "testbed" {
			t.Errorf("a request of the bed itself: %+v", request)
		}
	}
	log, err := bed.AWS.Log(t.Context(), "controller")
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range log {
		if request.Service != "s3" {
			t.Errorf("the controller asked %+v", request)
		}
	}
}

// testProxies: requests pass through, and are cut on order.
func testProxies(t *testing.T, bed *testbed.Bed) {
	var cut atomic.Bool
	hook := func(int64, *http.Request) error {
		if cut.Load() {
			return errors.New("cut")
		}
		return nil
	}
	through, err := bed.KubeProxy(t.Context(), bed.Kubeconfig, hook)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kubectl(t.Context(), bed, through, "get", "--raw", "/version"); err != nil {
		t.Fatal(err)
	}
	cut.Store(true)
	if text, err := kubectl(t.Context(), bed, through, "get", "--raw", "/version"); err == nil {
		t.Errorf("a cut connection answered %s", text)
	}
}
