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
	for _, flags := range [][]string{nil, {"--dry-run"}, {"--keep-role", "--force-owner", "--adopt-role"}} {
		s.Admin.Run(t, append([]string{"controller", "uninstall"}, flags...)...).WantCode(t, refused).WantTalk(t,
			"there is 1 Bucket", "demo/demo-bucket: managed, of an install of OSToy", "oc ostoy-s3 uninstall -n demo")
	}
	if writes := s.written(t); len(writes) > 0 {
		t.Errorf("written: %v", writes)
	}
	learner.Run(t, "uninstall", "-n", "demo", "--delete-data", "--yes").WantCode(t, done)
	s.uninstall(t)
	s.wantLeft(t)
}

// TestUninstallWithBuckets of others: the printed commands delete the objects, and S3 keeps
// the buckets and their data.
func TestUninstallWithBuckets(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	s.bucket(t, "second", "ostoy-by-hand-bucket")
	s.Admin.Run(t, "controller", "uninstall").WantCode(t, refused).WantTalk(t, "second/ostoy-by-hand-bucket: managed",
		"oc annotate buckets.s3.services.k8s.aws NAME -n NAMESPACE --overwrite services.k8s.aws/deletion-policy=retain", "oc delete buckets.s3.services.k8s.aws NAME -n NAMESPACE")
	s.Admin.Kubectl(t, "annotate", "buckets.s3.services.k8s.aws", "ostoy-by-hand-bucket", "-n", "second", "--overwrite", "services.k8s.aws/deletion-policy=retain").WantCode(t, 0)
	s.Admin.Kubectl(t, "delete", "buckets.s3.services.k8s.aws", "ostoy-by-hand-bucket", "-n", "second").WantCode(t, 0)
	s.uninstall(t)
	s.wantLeft(t)
	s.wantData(t, "ostoy-by-hand-bucket")
}
