package olm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// approveTries is how often a plan is looked at anew because it was written to
// in between. OLM writes the status of a new plan several times at once.
const approveTries = 5

// Approve approves one InstallPlan, as it was looked at: the patch carries the
// resourceVersion. If the plan has been written to since, it is read again and
// approved if it is the same plan for the same CSVs; else nothing is changed and
// the error is a *problem.Error of the kind problem.Refused. A plan that
// somebody approved meanwhile is no error. All other errors are the server's.
func Approve(ctx context.Context, client dynamic.Interface, plan *unstructured.Unstructured) error {
	plans := client.Resource(InstallPlans()).Namespace(plan.GetNamespace())
	seen := plan
	var err error
	for range approveTries {
		if PlanOf(seen).Approved {
			return nil
		}
		if err = approve(ctx, plans, seen); !apierrors.IsConflict(err) {
			return err
		}
		now, getErr := plans.Get(ctx, plan.GetName(), metav1.GetOptions{})
		if getErr != nil {
			return getErr
		}
		if now.GetUID() != plan.GetUID() || !slices.Equal(PlanOf(now).CSVs, PlanOf(plan).CSVs) {
			return changed(plan)
		}
		seen = now
	}
	return err
}

func approve(ctx context.Context, plans dynamic.ResourceInterface, plan *unstructured.Unstructured) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": plan.GetResourceVersion()},
		"spec":     map[string]any{"approved": true},
	})
	if err != nil {
		return fmt.Errorf("approving InstallPlan %s: %w", plan.GetName(), err)
	}
	_, err = plans.Patch(ctx, plan.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: render.ManagedBy})
	return err
}

func changed(plan *unstructured.Unstructured) error {
	return &problem.Error{
		Kind: problem.Refused,
		What: "InstallPlan " + plan.GetName() + " in " + plan.GetNamespace() + " is not approved",
		Why:  "it is another plan than the one that was looked at",
		Next: "oc get installplans." + group + " -n " + plan.GetNamespace() + ", then run this command again",
	}
}
