package check_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func clusterFaults() []fault {
	return []fault{
		{check: "api-server", says: "connection refused", make: func(t *testing.T, s *scene) {
			s.User.Kubeconfig = unreachable(t)
		}},
		{check: "project-terminating", says: ack.Finalizer, flags: []string{"--only=project-terminating"}, make: hangOnBucket},
		{
			check: "quota", says: "allows 1 of pods", bare: true, flags: []string{"--only=quota"},
			make: func(t *testing.T, s *scene) {
				must(t, s.NewNamespace(t.Context(), s.Namespace))
				quota(t, s, "pods: 1")
			},
		},
		{check: "quota", status: "warning", says: "when they are recreated", make: func(t *testing.T, s *scene) {
			quota(t, s, "limits.memory: 100Mi")
		}},
		{
			check: "storage-class", says: "no storage class fast", bare: true,
			flags: []string{"--only=storage-class", "--set=storage.storageClassName=fast"},
			make:  func(t *testing.T, s *scene) { must(t, s.NewNamespace(t.Context(), s.Namespace)) },
		},
		{
			check: "limits", says: "LimitRange bounds refuses", bare: true, flags: []string{"--only=limits"},
			make: func(t *testing.T, s *scene) {
				must(t, s.NewNamespace(t.Context(), s.Namespace))
				must(t, s.Apply(t.Context(), strings.ReplaceAll(limitOf("", "{type: Container, max: {cpu: 50m}}", nil).makes, "NS", s.Namespace)))
			},
		},
		{
			check: "admission", says: "podLabels.team", bare: true, flags: []string{"--only=admission"},
			make: func(t *testing.T, s *scene) {
				must(t, s.NewNamespace(t.Context(), s.Namespace))
				must(t, s.Apply(t.Context(), strings.ReplaceAll(policyOf("", "pods", hasTeam, "", nil).makes, "NS", s.Namespace)))
			},
		},
		{
			check: "route-api", says: "serves no Routes",
			flags: []string{"--api-versions=v1,apps/v1,s3.services.k8s.aws/v1alpha1,s3.services.k8s.aws/v1alpha1/Bucket"},
		},
	}
}

func clusterWideFaults() []fault {
	return []fault{
		{check: "cluster-issuer", says: "--oidc-issuer", make: func(t *testing.T, s *scene) {
			change(t, s, configs("authentications"), "", "cluster", `{"spec":{"serviceAccountIssuer":""}}`)
		}},
		{
			check: "storage-class", says: "no default storage class", bare: true, flags: []string{"--only=storage-class"},
			make: func(t *testing.T, s *scene) {
				must(t, s.NewNamespace(t.Context(), s.Namespace))
				change(t, s, storageClasses(), "", "gp3-csi", `{"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"false"}}}`)
			},
		},
		{
			check: "node-architecture", says: "linux/arm64", bare: true, flags: []string{"--only=node-architecture"},
			make: func(t *testing.T, s *scene) {
				must(t, s.NewNamespace(t.Context(), s.Namespace))
				change(t, s, core("nodes"), "", "worker-0", `{"metadata":{"labels":{"kubernetes.io/arch":"arm64"}}}`)
			},
		},
		{check: "cluster-rights", says: "oc ostoy-s3 controller install", admin: true, make: noBucketRights},
		{
			check: "project-rights", says: "oc ostoy-s3 controller install", admin: true, bare: true,
			flags: []string{"--pre", classicIssuer}, make: noBucketRights,
		},
		{
			check: "project-rights", says: "you may not make a project", admin: true, bare: true,
			flags: []string{"--pre", classicIssuer}, make: func(t *testing.T, s *scene) {
				remove(t, s, rbac("clusterrolebindings"), "", "self-provisioners")
			},
		},
	}
}

// classicIssuer is for a project admin without a project, who cannot find it out.
const classicIssuer = "--oidc-issuer=https://oidc.op1.openshiftapps.com/2abcdefghijklmnopqrstuvwxyz01234"

// unreachable is a kubeconfig of a server that is not there.
func unreachable(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, os.WriteFile(path, fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters: [{name: gone, cluster: {server: "https://%s"}}]
contexts: [{name: gone, context: {cluster: gone}}]
current-context: gone
`, run.Refusing(t)), 0o600))
	return path
}

// hangOnBucket deletes a project whose bucket is not empty, and whose Bucket is
// to delete it.
func hangOnBucket(t *testing.T, s *scene) {
	ctx, name := t.Context(), s.Namespace+"-bucket"
	_, err := s.S3().PutObject(ctx, &s3.PutObjectInput{Bucket: &name, Key: aws.String("mine"), Body: strings.NewReader("x")})
	must(t, err)
	_, err = s.Dynamic.Resource(ack.Resource()).Namespace(s.Namespace).Patch(ctx, name, types.MergePatchType,
		[]byte(`{"metadata":{"annotations":{"services.k8s.aws/deletion-policy":"delete"}}}`), metav1.PatchOptions{})
	must(t, err)
	must(t, s.Client.CoreV1().Namespaces().Delete(ctx, s.Namespace, metav1.DeleteOptions{}))
	t.Cleanup(func() {
		_, _ = s.Dynamic.Resource(ack.Resource()).Namespace(s.Namespace).Patch(context.WithoutCancel(ctx), name, types.MergePatchType,
			[]byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	})
}

func quota(t *testing.T, s *scene, hard string) {
	t.Helper()
	must(t, s.Apply(t.Context(), fmt.Sprintf(`apiVersion: v1
kind: ResourceQuota
metadata: {name: small, namespace: %s}
spec: {hard: {%s}}
`, s.Namespace, hard)))
	// Its controller has counted.
	must(t, testbed.Poll(t.Context(), pause, func(ctx context.Context) error {
		live, err := s.Client.CoreV1().ResourceQuotas(s.Namespace).Get(ctx, "small", metav1.GetOptions{})
		if err == nil && len(live.Status.Used) == 0 {
			return fmt.Errorf("not counted yet")
		}
		return err
	}))
}

// noBucketRights takes from project admins the rights on Buckets that OLM gave
// them, as on a cluster with the chart. The controller's role reaches the buckets of such
// projects alone: else nobody gives project admins the permission.
func noBucketRights(t *testing.T, s *scene) {
	controllerReaches(t, s, "global-*-bucket")
	for _, role := range []string{"admin", "edit"} {
		remove(t, s, rbac("clusterroles"), "", "buckets.s3.services.k8s.aws-v1alpha1-"+role)
	}
}
