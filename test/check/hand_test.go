package check_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// bucketKind is the Bucket as kubectl takes it.
const bucketKind = "buckets.s3.services.k8s.aws"

// bucket is the name of the scene's bucket, and of its object.
func (s *scene) bucket() string { return s.Namespace + "-bucket" }

// kubectl has the cluster admin change something in the namespace by hand.
func (s *scene) kubectl(t *testing.T, args ...string) {
	t.Helper()
	run.Admin(s.Bed).Kubectl(t, append([]string{"-n", s.Namespace}, args...)...).WantCode(t, 0)
}

// patch has the cluster admin change fields of an object by hand.
func (s *scene) patch(t *testing.T, kind, name, patch string, more ...string) {
	t.Helper()
	s.kubectl(t, append([]string{"patch", kind, name, "--type=merge", "-p", patch}, more...)...)
}

// status writes into an object's status what its controller would.
func (s *scene) status(t *testing.T, kind, name, patch string) {
	t.Helper()
	s.patch(t, kind, name, `{"status":`+patch+`}`, "--subresource=status")
}

// annotate sets an annotation of the Bucket object.
func (s *scene) annotate(t *testing.T, note string) {
	t.Helper()
	s.kubectl(t, "annotate", "--overwrite", bucketKind, s.bucket(), note)
}

// pods are those of a Deployment.
func (s *scene) pods(t *testing.T, deployment string) []string {
	t.Helper()
	list, err := s.Client.CoreV1().Pods(s.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=" + deployment})
	must(t, err)
	var names []string
	for _, pod := range list.Items {
		names = append(names, pod.Name)
	}
	return names
}

// renew deletes the frontend's pods, so that new ones are made.
func (s *scene) renew(t *testing.T) {
	t.Helper()
	s.kubectl(t, "delete", "pod", "-l", "app=ostoy-frontend", "--wait=false")
}

// object reads one.
func (s *scene) object(t *testing.T, resource schema.GroupVersionResource, name string) *unstructured.Unstructured {
	t.Helper()
	object, err := s.Dynamic.Resource(resource).Namespace(s.Namespace).Get(t.Context(), name, metav1.GetOptions{})
	must(t, err)
	return object
}

func bucketResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "s3.services.k8s.aws", Version: "v1alpha1", Resource: "buckets"}
}

// eventually waits until try succeeds.
func eventually(t *testing.T, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	must(t, testbed.Poll(ctx, 100*time.Millisecond, try))
}

// refusePods has the API server refuse pods made from now on.
func (s *scene) refusePods(t *testing.T, message string) {
	t.Helper()
	must(t, s.Apply(t.Context(), fmt.Sprintf(`apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: refuse-%[1]s}
spec:
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  validations:
  - {expression: "false", message: %[2]q}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: refuse-%[1]s}
spec: {policyName: refuse-%[1]s, validationActions: [Deny]}
`, s.Namespace, message)))
}
