package controller

import (
	"context"
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
)

// TestApprovedOnce: a watch that does not show our approval yet is no reason to
// approve, and to say so, again.
func TestApprovedOnce(t *testing.T) {
	const csv = "ack-s3-controller.v1.13.0"
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(`
apiVersion: operators.coreos.com/v1alpha1
kind: InstallPlan
metadata: {name: install-1, namespace: ack-system}
spec: {approved: false, approval: Manual, clusterServiceVersionNames: [`+csv+`]}
status: {phase: RequiresApproval}`), &object.Object); err != nil {
		t.Fatal(err)
	}
	lists := map[schema.GroupVersionResource]string{kinds.InstallPlan.GVR(): "InstallPlanList"}
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists, object)
	patches := 0
	client.PrependReactor("patch", "installplans", func(clienttesting.Action) (bool, runtime.Object, error) {
		patches++
		return true, object, nil
	})

	done := &Done{}
	f := &follower{done: done, Plan: &Plan{basis: basis{found: &Found{World: &live.World{Conn: &cluster.Conn{Dynamic: client}}}}}}
	const looks = 3
	seen := 0
	_, err := wait.States(t.Context(), client, "ack-system", []kinds.Kind{kinds.InstallPlan}, func(ctx context.Context, now wait.Seen) ([]health.State, error) {
		state, err := f.approval(ctx, now, nil, csv)
		seen++
		state.Ready = seen == looks
		return []health.State{state}, err
	}, func(health.State) {})
	if err != nil {
		t.Fatal(err)
	}
	if patches != 1 || len(done.Approved) != 1 {
		t.Errorf("in %d looks %d patches, approved: %v", seen, patches, done.Approved)
	}
}
