package controller

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// recorder notes the writes to the cluster and to AWS in their order; one of them fails.
type recorder struct {
	iam.API
	mu    sync.Mutex
	wrote []string
	fails string
}

func (r *recorder) note(write string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if write == r.fails {
		return errors.New("interrupted")
	}
	r.wrote = append(r.wrote, write)
	return nil
}

func (r *recorder) AttachRolePolicy(context.Context, *awsiam.AttachRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.AttachRolePolicyOutput, error) {
	return &awsiam.AttachRolePolicyOutput{}, r.note("role")
}

// watch notes what is written to ClusterRoles, and accepts the inventory.
func (r *recorder) watch(w *world) {
	w.client.PrependReactor("patch", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, by(apply.Manager, object(w.t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: ostoy-s3-controller, namespace: ack-system}}")), nil
	})
	w.client.PrependReactor("delete", "clusterroles", func(action clienttesting.Action) (bool, runtime.Object, error) {
		err := r.note("delete " + action.(clienttesting.DeleteActionImpl).Name)
		return err != nil, nil, err
	})
	w.client.PrependReactor("patch", "clusterroles", func(action clienttesting.Action) (bool, runtime.Object, error) {
		name := action.(clienttesting.PatchActionImpl).Name
		return true, roleWith("ClusterRole", name, "buckets", "get"), r.note("apply " + name)
	})
}

// TestF1WithdrawnFirst: where the cluster cannot restrict Buckets, the permission to
// write them ends before the role of the controller or a permission becomes wider. A run
// that is killed in between leaves the stricter state.
func TestF1WithdrawnFirst(t *testing.T) {
	withdraw, view := "delete "+operator.EditRole, "apply "+operator.ViewRole
	for name, c := range map[string]struct {
		fails string
		want  []string
	}{
		"to the end":                  {"", []string{withdraw, "role", view}},
		"killed while it withdraws":   {withdraw, nil},
		"killed at the role":          {"role", []string{withdraw}},
		"killed at the other objects": {view, []string{withdraw, "role"}},
	} {
		t.Run(name, func(t *testing.T) {
			edit := operator.Rights()[0].DeepCopy()
			edit.SetManagedFields(appliedBy(apply.Manager))
			w := newWorld(t, false, edit)
			r := &recorder{fails: c.fails}
			r.watch(w)
			p := &Plan{
				Mode:  ByHand,
				set:   operator.ReadRights(),
				Role:  &iam.Plan{Role: iam.Role{Name: "r"}, Steps: []iam.Step{{Kind: iam.AttachPolicy, PolicyARN: "p"}}},
				basis: basis{facts: testFacts(), roles: r, options: Options{DryRun: session.DryRunClient}, found: &Found{World: &live.World{Conn: w.conn, Namespace: ackSystem}, Namespace: ackSystem, Project: &unstructured.Unstructured{}}},
			}
			var err error
			if p.Objects, err = p.planObjects(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			err = p.Execute(t.Context(), &Done{}, func(health.State) {})
			if (err != nil) != (c.fails != "") {
				t.Error(err)
			}
			if !slices.Equal(r.wrote, c.want) {
				t.Errorf("%v, want %v", r.wrote, c.want)
			}
		})
	}
}
