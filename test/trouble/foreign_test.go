package trouble_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestObjectsOfOthers: a Secret and a ConfigMap somebody made by hand have the
// names of ours.
func TestObjectsOfOthers(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "object-theirs"
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	admin.Kubectl(t, "create", "secret", "generic", "ostoy-secret", "--from-literal=secret.txt=theirs-and-private", "-n", namespace).WantCode(t, 0)
	admin.Kubectl(t, "create", "configmap", "ostoy-s3", "--from-literal=theirs=yes", "-n", namespace).WantCode(t, 0)

	before := world.Look(t, bed, namespace)
	result := admin.Run(t, "install", "-n", namespace)
	wantMessages(t, result, refused,
		message{"2 objects in object-theirs are not ours: Secret ostoy-secret, ConfigMap ostoy-s3", "Secret ostoy-secret: managed by kubectl-create", "oc get secret/ostoy-secret configmap/ostoy-s3 … --force-conflicts"},
	)
	result.WantTalk(t, "nothing was changed").WantNoTalk(t, "theirs-and-private")
	before.WantSame(t, world.Look(t, bed, namespace))

	admin.Run(t, "install", "-n", namespace, "--force-conflicts").WantCode(t, done).WantNoTalk(t, "theirs-and-private")
	admin.Run(t, "install", "-n", namespace).WantCode(t, done).WantTalk(t, "nothing to change")
}

// TestObjectsOfGitOps: two that deliver the same object would fight for ever.
// Both commands stop, and go on with --force-owner alone; what the engine holds
// is then set to what install wants.
func TestObjectsOfGitOps(t *testing.T) {
	t.Parallel()
	for namespace, engine := range map[string]struct{ manager, name string }{
		"object-argocd": {"argocd-controller", "Argo CD"},
		"object-flux":   {"kustomize-controller", "Flux"},
	} {
		t.Run(namespace, func(t *testing.T) {
			t.Parallel()
			bed, admin := run.TheBed(t), run.Admin(run.TheBed(t))
			world.NewNamespace(t, bed, namespace)
			accounts := bed.Client.CoreV1().ServiceAccounts(namespace)
			text := `{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"ostoy-sa","annotations":{"eks.amazonaws.com/role-arn":"arn:aws:iam::123456789012:role/theirs"}}}`
			yes := true
			deliver := func() {
				t.Helper()
				if _, err := accounts.Patch(t.Context(), "ostoy-sa", types.ApplyPatchType, []byte(text), metav1.PatchOptions{FieldManager: engine.manager, Force: &yes}); err != nil {
					t.Fatal(err)
				}
			}
			deliver()
			managed := "ServiceAccount ostoy-sa in " + namespace + " is managed by " + engine.name
			want := message{managed, "undo each other's work", "oc ostoy-s3 render … --force-owner"}
			wantRefused(t, admin, namespace, refused, want)
			wantRefused(t, admin, namespace, refused, want, "--force-conflicts")

			admin.Run(t, "install", "-n", namespace, "--force-owner").WantCode(t, done)
			admin.Run(t, "install", "-n", namespace).WantCode(t, done).WantTalk(t, "nothing to change")
			deliver()
			wantRefused(t, admin, namespace, refused, want)
			before := world.Look(t, bed, namespace)
			result := admin.Run(t, "uninstall", "-n", namespace)
			wantMessages(t, result, refused, message{managed, "would bring back", "oc ostoy-s3 render … --force-owner"})
			before.WantSame(t, world.Look(t, bed, namespace))

			admin.Run(t, "install", "-n", namespace, "--force-owner").WantCode(t, done).WantTalk(t, "changed by "+engine.manager)
			wantHealthy(t, bed, namespace)
			deliver()
			admin.Run(t, "uninstall", "-n", namespace, "--force-owner").WantCode(t, done)
			if _, err := accounts.Get(t.Context(), "ostoy-sa", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("after uninstall --force-owner: %v", err)
			}
		})
	}
}

// TestFieldsOfOthers: an object of ours in which another applier holds a
// field. A hand is put back, an applier is not.
func TestFieldsOfOthers(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "object-fields"
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	edit := []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"ostoy-frontend","imagePullPolicy":"Always"}]}}}}`)
	edits := func(manager string, kind types.PatchType, data []byte, force *bool) {
		t.Helper()
		_, err := bed.Client.AppsV1().Deployments(namespace).Patch(t.Context(), "ostoy-frontend", kind, data, metav1.PatchOptions{FieldManager: manager, Force: force})
		if err != nil {
			t.Fatal(err)
		}
	}
	replicas := []byte(`{"spec":{"replicas":3}}`)
	edits("kubectl-edit", types.StrategicMergePatchType, replicas, nil)
	edits("kubectl-edit", types.StrategicMergePatchType, edit, nil)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done).WantTalk(t, "Deployment ostoy-frontend", "changed by kubectl-edit")
	wantReplicas(t, bed, namespace, 1)

	yes := true
	applied := []byte(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"ostoy-frontend"},"spec":{"replicas":2}}`)
	edits("scaler-of-theirs", types.ApplyPatchType, applied, &yes)
	settled(t, bed, namespace, 2)
	wantRefused(t, admin, namespace, refused, message{
		"Deployment ostoy-frontend in object-fields has fields that others manage", "spec.replicas is set by scaler-of-theirs (server-side apply)", "--force-conflicts",
	})
	admin.Run(t, "install", "-n", namespace, "--force-conflicts").WantCode(t, done)
	wantReplicas(t, bed, namespace, 1)
}

// settled waits until the controllers have made the pods that were asked for,
// so that nothing but the tool can change what is there.
func settled(t *testing.T, bed *testbed.Bed, namespace string, replicas int32) {
	t.Helper()
	err := testbed.Poll(t.Context(), 100*time.Millisecond, func(ctx context.Context) error {
		live, err := bed.Client.AppsV1().Deployments(namespace).Get(ctx, "ostoy-frontend", metav1.GetOptions{})
		if err == nil && (live.Status.AvailableReplicas != replicas || live.Status.ObservedGeneration != live.Generation) {
			err = fmt.Errorf("%d of %d replicas are available", live.Status.AvailableReplicas, replicas)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func wantReplicas(t *testing.T, bed *testbed.Bed, namespace string, want int32) {
	t.Helper()
	live, err := bed.Client.AppsV1().Deployments(namespace).Get(t.Context(), "ostoy-frontend", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if *live.Spec.Replicas != want {
		t.Errorf("%d replicas, want %d", *live.Spec.Replicas, want)
	}
}
