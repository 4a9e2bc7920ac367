package controller_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

func buckets() schema.GroupVersionResource {
	return resource("s3.services.k8s.aws", "v1alpha1", "buckets")
}

// bucket makes a Bucket by hand, which has no deletion policy and so would have
// its S3 bucket deleted, waits for that one, and puts something into it.
func (s *scene) bucket(t *testing.T, in, name string) {
	t.Helper()
	must(t, s.NewNamespace(t.Context(), in))
	must(t, s.Apply(t.Context(), fmt.Sprintf(`apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata: {name: %s, namespace: %s, annotations: {services.k8s.aws/region: us-east-2}}
spec: {name: %[1]s}
`, name, in)))
	eventually(t, "the bucket", func(ctx context.Context) error {
		one, err := s.Dynamic.Resource(buckets()).Namespace(in).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(one.Object, "status", "conditions")
		if !strings.Contains(fmt.Sprint(conditions), "status:True type:ACK.ResourceSynced") {
			return fmt.Errorf("%v", conditions)
		}
		return nil
	})
	s.putData(t, name)
}

func (s *scene) putData(t *testing.T, bucket string) {
	t.Helper()
	_, err := s.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("kept.txt"), Body: strings.NewReader("kept\n")})
	must(t, err)
}

// wantData: the S3 bucket and its object are there.
func (s *scene) wantData(t *testing.T, buckets ...string) {
	t.Helper()
	for _, name := range buckets {
		if _, err := s.S3().HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &name, Key: aws.String("kept.txt")}); err != nil {
			t.Errorf("kept.txt in %s: %v", name, err)
		}
	}
}

// TestUninstallWithAnApp: while there is a Bucket nothing is touched.
func TestUninstallWithAnApp(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	learner := run.ProjectAdmin(t, s.Bed, "learner")
	learner.Run(t, "install", "--new-project=demo").WantCode(t, done)
	s.mark = s.KubeMark()
	for _, flags := range [][]string{nil, {"--dry-run"}, {"--keep-role", "--delete-crds"}} {
		s.Admin.Run(t, append([]string{"controller", "uninstall"}, flags...)...).WantCode(t, refused).WantTalk(t,
			"there is 1 Bucket", "demo/demo-bucket: managed, of an install of OSToy", "oc ostoy-s3 uninstall -n demo", "--force")
	}
	if writes := s.written(t); len(writes) > 0 {
		t.Errorf("written: %v", writes)
	}
	learner.Run(t, "uninstall", "-n", "demo", "--delete-data", "--yes").WantCode(t, done)
	s.uninstall(t)
	s.wantLeft(t)
}

// TestUninstallForce: the controller lets go of what it has, and S3 keeps it all.
func TestUninstallForce(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	learner := run.ProjectAdmin(t, s.Bed, "learner")
	learner.Run(t, "install", "--new-project=demo").WantCode(t, done)
	s.putData(t, "demo-bucket")
	s.bucket(t, "second", "ostoy-by-hand-bucket")

	s.uninstall(t, "--force", "--dry-run").WantTalk(t, "would remove", "2 Bucket objects", "2 S3 buckets", "demo/demo-bucket, second/ostoy-by-hand-bucket", "nothing was changed")
	s.wantData(t, "demo-bucket", "ostoy-by-hand-bucket")
	s.uninstall(t, "--force").WantTalk(t, "let go of, their buckets stay", "2 S3 buckets").WantNoTalk(t, "taking its finalizer off")
	s.wantLeft(t, "role "+world.RoleName(s.Issuer, "demo"))
	s.wantData(t, "demo-bucket", "ostoy-by-hand-bucket")
	for _, in := range []string{"demo", "second"} {
		if left := s.bucketsOf(t, in); len(left) > 0 {
			t.Errorf("Buckets of %s: %v", in, left)
		}
	}
	s.gone(t, "second")

	// With a controller again, the app takes its bucket back.
	s.install(t)
	learner.Run(t, "install", "-n", "demo").WantCode(t, done).WantTalk(t, "✔ demo-bucket", "✔ verified")
	s.wantData(t, "demo-bucket")
	if all := s.bucketsOf(t, "demo"); len(all) != 1 || all[0].GetAnnotations()["services.k8s.aws/adopted"] != "true" {
		t.Errorf("the bucket was not adopted: %v", all)
	}
}

// TestUninstallForceWithoutAController: what nobody lets go of loses exactly the
// finalizer of ACK's; what others wait for is theirs, and told.
func TestUninstallForceWithoutAController(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*testing.T, *scene){
		"scaled to none": func(t *testing.T, s *scene) {
			s.Admin.Kubectl(t, "-n", namespace, "scale", "deployment", "ack-s3-controller", "--replicas=0").WantCode(t, 0)
		},
		"crashes": func(_ *testing.T, s *scene) {
			s.CrashController(`{"level":"error","msg":"Unable to create controller manager","error":"invalid resource tag: rosa_cluster_ack"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := begin(t)
			s.install(t)
			s.bucket(t, "demo", "ostoy-one-bucket")
			s.bucket(t, "second", "ostoy-two-bucket")
			s.Admin.Kubectl(t, "-n", "second", "patch", "bucket", "ostoy-two-bucket", "--type=json",
				"-p", `[{"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/mine"}]`).WantCode(t, 0)
			stop(t, s)
			eventually(t, "the controller is down", s.isDown)

			s.Admin.Run(t, "controller", "uninstall", "--force").WantCode(t, failed).WantTalk(t, "taking its finalizer off 2 Buckets",
				"Bucket second/ostoy-two-bucket", "waits for example.com/mine", "then run the same command again")
			s.wantData(t, "ostoy-one-bucket", "ostoy-two-bucket")
			if left := s.bucketsOf(t, "demo"); len(left) > 0 {
				t.Errorf("Buckets: %v", left)
			}
			left := s.bucketsOf(t, "second")
			if len(left) != 1 || len(left[0].GetFinalizers()) != 1 || left[0].GetFinalizers()[0] != "example.com/mine" || left[0].GetDeletionTimestamp() == nil {
				t.Fatalf("Buckets: %v", left)
			}
			s.gone(t, "demo")

			s.Admin.Kubectl(t, "-n", "second", "patch", "bucket", "ostoy-two-bucket", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`).WantCode(t, 0)
			s.CrashController("")
			s.uninstall(t, "--force")
			s.wantLeft(t)
			s.wantData(t, "ostoy-one-bucket", "ostoy-two-bucket")
		})
	}
}

// isDown: no pod of the controller is ready.
func (s *scene) isDown(ctx context.Context) error {
	if s.ACK.Works() {
		return fmt.Errorf("it works")
	}
	list, err := s.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, pod := range list.Items {
		for _, status := range pod.Status.ContainerStatuses {
			if status.Ready {
				return fmt.Errorf("%s is ready", pod.Name)
			}
		}
	}
	return nil
}
