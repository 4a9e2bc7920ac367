package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const plannedCSV = "ack-s3-controller.v1.13.0"

// installPlan is the nth InstallPlan for plannedCSV.
func installPlan(t *testing.T, n int, phase string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(fmt.Appendf(nil, `
apiVersion: operators.coreos.com/v1alpha1
kind: InstallPlan
metadata: {name: install-%d, namespace: ack-system, creationTimestamp: "2026-03-01T10:00:%02dZ"}
spec: {approved: false, approval: Manual, clusterServiceVersionNames: [%s], generation: %[2]d}
status: {phase: '%[4]s'}`, n, n, plannedCSV, phase), &object.Object); err != nil {
		t.Fatal(err)
	}
	return object
}

// approvals follows what plans there are, and counts the patches. react is asked
// for a plan that is to exist after a patch.
func approvals(t *testing.T, first *unstructured.Unstructured, react func(n int) *unstructured.Unstructured, looks int) (patches int, err error) {
	t.Helper()
	lists := map[schema.GroupVersionResource]string{kinds.InstallPlan.GVR(): "InstallPlanList"}
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists, first)
	client.PrependReactor("patch", "installplans", func(clienttesting.Action) (bool, runtime.Object, error) {
		patches++
		if next := react(patches); next != nil {
			if err := client.Tracker().Create(kinds.InstallPlan.GVR(), next, "ack-system"); err != nil {
				t.Error(err)
			}
		}
		return true, first, nil
	})
	subscription := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(`
kind: Subscription
metadata: {name: ack-s3-controller, namespace: ack-system}
status:
  conditions:
  - {type: BundleUnpackFailed, status: "True", reason: EnsureInstallPlanFailed, message: "error ensuring InstallPlan: the object has been modified"}`), &subscription.Object); err != nil {
		t.Fatal(err)
	}
	found := &Found{Namespace: "ack-system", World: &live.World{Conn: &cluster.Conn{Dynamic: client}}}
	f := &follower{done: &Done{}, Plan: &Plan{basis: basis{found: found}}}
	seen := 0
	_, err = wait.States(t.Context(), client, "ack-system", []kinds.Kind{kinds.InstallPlan}, func(ctx context.Context, now wait.Seen) ([]health.State, error) {
		state, err := f.approval(ctx, now, subscription, plannedCSV)
		seen++
		state.Ready = seen == looks
		return []health.State{state}, err
	}, func(health.State) {})
	return patches, err
}

// TestApprovedOnlyWithStatus: before that OLM's own write of the status fails.
func TestApprovedOnlyWithStatus(t *testing.T) {
	patches, err := approvals(t, installPlan(t, 1, ""), nil, 3)
	if err != nil || patches != 0 {
		t.Errorf("%d patches, %v", patches, err)
	}
}

// TestApprovedInVain: a plan that OLM makes again and again is not approved again
// and again.
func TestApprovedInVain(t *testing.T) {
	patches, err := approvals(t, installPlan(t, 1, "RequiresApproval"), func(n int) *unstructured.Unstructured {
		return installPlan(t, n+1, "RequiresApproval")
	}, 100)
	var told *problem.Error
	if !errors.As(err, &told) || told.Kind != problem.NotReady || !strings.Contains(told.Why, "error ensuring InstallPlan") || told.Next == "" {
		t.Errorf("%v", err)
	}
	if patches != mostApprovals {
		t.Errorf("%d approvals, want %d", patches, mostApprovals)
	}
}
