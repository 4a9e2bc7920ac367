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

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
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
		"create buckets.s3.services.k8s.aws", "a cluster admin allows project admins to create Buckets",
		"a cluster admin allows project admins to create Buckets", "oc ostoy-s3 controller install", "nothing was changed")
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

// testProjectTakenBack: somebody to whom nobody can tell beforehand whether a
// project of theirs lets them make Buckets gets one, finds that it does not,
// and is left without it.
func testProjectTakenBack(t *testing.T, bed *testbed.Bed) {
	hide := []byte(`[{"op":"remove","path":"/rules/2"}]`) // ClusterRoles
	if _, err := bed.Client.RbacV1().ClusterRoles().Patch(t.Context(), "basic-user", types.JSONPatchType, hide, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	const namespace = "taken-back"
	user := run.ProjectAdmin(t, bed, "admin-of-"+namespace)
	eventually(t, "ClusterRoles are hidden", func(context.Context) error {
		if user.Kubectl(t, "get", "clusterrole", "admin").Code == 0 {
			return errors.New("not yet")
		}
		return nil
	})
	refused := user.Run(t, "install", "--new-project="+namespace)
	refused.WantCode(t, 4).WantStdout(t, "").WantTalk(t, "project "+namespace+", made a moment ago, removed again",
		"you were not given the right to make Buckets in project "+namespace, "oc ostoy-s3 controller install")
	wantNoAWSWrites(t, bed, namespace)
	eventually(t, "the project is gone", func(ctx context.Context) error {
		_, err := bed.Client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("is there: %w", err)
	})
}

// testMayNotMakeNamespaces: on plain Kubernetes a project admin cannot have
// --new-project, and is told to ask for a namespace.
func testMayNotMakeNamespaces(t *testing.T, bed *testbed.Bed) {
	user := run.ProjectAdmin(t, bed, "nobody")
	refused := user.Run(t, "install", "--new-project=never-made")
	refused.WantCode(t, 4).WantStdout(t, "").WantTalk(t, "not allowed: create namespaces", "give it with -n", "nothing was changed")
	wantNoNamespace(t, bed, "never-made")
	wantNoAWSWrites(t, bed, "never-made")
}
