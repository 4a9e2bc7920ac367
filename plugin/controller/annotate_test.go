package controller

import (
	"context"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

const droppedAccount = `
apiVersion: v1
kind: ServiceAccount
metadata:
  name: ack-s3-controller
  namespace: ack-system
  resourceVersion: "41"
  ownerReferences: [{apiVersion: operators.coreos.com/v1alpha1, kind: ClusterServiceVersion, name: ack-s3-controller.v1.13.0, uid: u}]`

// TestAnnotationIsRestored: only at the resourceVersion that was looked at, and not
// while OLM carries out a plan.
func TestAnnotationIsRestored(t *testing.T) {
	conflict := apierrors.NewConflict(kinds.ServiceAccount.GVR().GroupResource(), operator.ServiceAccount, errors.New("the object has been modified"))
	for name, c := range map[string]struct {
		phase   string // of the InstallPlan
		csv     string // that it names
		refuse  error
		patches int
	}{
		"OLM is done":                 {"Complete", plannedCSV, nil, 1},
		"OLM is at work":              {"Installing", plannedCSV, nil, 0},
		"OLM is at work on another's": {"Installing", "other.v1.0.0", nil, 1},
		"written to meanwhile":        {"Complete", plannedCSV, conflict, 1},
		"gone meanwhile":              {"Complete", plannedCSV, apierrors.NewNotFound(kinds.ServiceAccount.GVR().GroupResource(), "x"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			f, client := followed(t, Plan{Version: Target{CSV: plannedCSV}}, droppedAccount, `
apiVersion: operators.coreos.com/v1alpha1
kind: InstallPlan
metadata: {name: install-1, namespace: ack-system}
spec: {approved: true, clusterServiceVersionNames: [`+c.csv+`]}
status: {phase: `+c.phase+`}`)
			account := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ServiceAccount"}}
			account.SetName(operator.ServiceAccount)
			f.set = []*unstructured.Unstructured{account}
			patches := 0
			client.PrependReactor("patch", "serviceaccounts", func(action clienttesting.Action) (bool, runtime.Object, error) {
				patches++
				if patch := string(action.(clienttesting.PatchAction).GetPatch()); !strings.Contains(patch, `"resourceVersion":"41"`) {
					t.Errorf("applied %s", patch)
				}
				return true, account, c.refuse
			})
			_, err := wait.States(t.Context(), client, "ack-system", []kinds.Kind{kinds.ServiceAccount, kinds.InstallPlan}, func(ctx context.Context, seen wait.Seen) ([]health.State, error) {
				waits, err := annotate(ctx, f, seen)
				if !waits {
					t.Error("it does not wait for the annotation")
				}
				return []health.State{{Ready: true}}, err
			}, nil)
			if err != nil || patches != c.patches || account.GetResourceVersion() != "" {
				t.Errorf("%d patches, want %d; %v", patches, c.patches, err)
			}
			if restored := c.refuse == nil && c.patches > 0; restored != (f.restored == 1) {
				t.Errorf("restored %d times", f.restored)
			}
		})
	}
}
