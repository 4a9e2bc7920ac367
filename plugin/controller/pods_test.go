package controller

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// TestMissedPods: a pod that the webhook missed is deleted once, and one that is seen
// again before it is gone is not taken for its successor.
func TestMissedPods(t *testing.T) {
	client := fake.NewSimpleDynamicClient(runtime.NewScheme())
	var deleted []string
	client.PrependReactor("delete", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		deleted = append(deleted, action.(clienttesting.DeleteAction).GetName())
		return true, nil, nil
	})
	plan := &Plan{basis: basis{found: &Found{World: &live.World{Conn: &cluster.Conn{Dynamic: client}}}}}
	plan.Identity = operator.Annotation
	f := &follower{done: &Done{}, Plan: plan}
	pod := func(name, template string) *unstructured.Unstructured {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(fmt.Appendf(nil, `{apiVersion: v1, kind: Pod, metadata: {name: %[1]s, uid: %[1]s, namespace: ack-system, labels: {pod-template-hash: %[2]s}}}`, name, template), &object.Object); err != nil {
			t.Fatal(err)
		}
		return object
	}
	first := []*unstructured.Unstructured{pod("a", "first"), pod("b", "first")}
	for n, step := range []struct {
		current []*unstructured.Unstructured
		looked  int
		says    string
		deletes int
	}{
		{first, 0, "it is made anew", 1},
		{first, 0, "it is made anew", 1},
		{first, 1, "it is made anew", 2},
		{first, 1, "it is made anew", 2},
		{[]*unstructured.Unstructured{pod("c", "second")}, 0, "it is made anew", 3}, // of another template
		{[]*unstructured.Unstructured{pod("d", "first")}, 0, "neither did the one before it", 3},
	} {
		state := withoutIdentity(t.Context(), f, step.current[step.looked], step.current, "no volume")
		if !strings.Contains(state.Text, step.says) || len(deleted) != step.deletes {
			t.Errorf("step %d: %s, deleted %v", n, state.Text, deleted)
		}
	}
}
