package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testNoBucketRights: a project admin who may not make Buckets is refused
// before anything is made, and is told what to ask a cluster admin for.
func testNoBucketRights(t *testing.T, bed *testbed.Bed) {
	revokeBucketRights(t, bed)
	const namespace = "no-rights"
	user := projectAdmin(t, bed, namespace)
	before := dump(t, bed, namespace)
	refused := user.Run(t, append([]string{"install"}, whereTo(user, namespace)...)...)
	refused.WantCode(t, 4).WantStdout(t, "").WantTalk(t,
		"create buckets.s3.services.k8s.aws", "a cluster admin lets project admins make Buckets",
		"oc create clusterrole", "--resource=buckets.s3.services.k8s.aws",
		"rbac.authorization.k8s.io/aggregate-to-admin=true", "nothing was changed")
	wantNoAWSWrites(t, bed, namespace)
	wantSame(t, before, dump(t, bed, namespace))
	if bed.Platform.OpenShift() {
		wantNoNamespace(t, bed, namespace)
	}
}

// revokeBucketRights makes the cluster one whose controller came by Helm:
// nobody aggregates rights on Buckets to the roles of projects.
func revokeBucketRights(t *testing.T, bed *testbed.Bed) {
	t.Helper()
	roles := bed.Client.RbacV1().ClusterRoles()
	for _, to := range []string{"admin", "edit", "view"} {
		patch := fmt.Sprintf(`{"metadata":{"labels":{"rbac.authorization.k8s.io/aggregate-to-%s":null}}}`, to)
		name := "buckets.s3.services.k8s.aws-v1alpha1-" + to
		if _, err := roles.Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "ClusterRole admin", func(ctx context.Context) error {
		role, err := roles.Get(ctx, "admin", metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, rule := range role.Rules {
			if slices.Contains(rule.Resources, "buckets") {
				return errors.New("still holds rights on Buckets")
			}
		}
		return nil
	})
}

func wantNoNamespace(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	if _, err := bed.Client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("namespace %s is there: %v", namespace, err)
	}
}
