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

// approveTries is how often a plan is read again because it was written to in
// between.
const approveTries = 5

// Approve approves one InstallPlan that waits for approval, as it was looked at:
// the patch carries the resourceVersion. It reports whether the plan is approved
// now, by whomever.
//
// A plan in another phase than RequiresApproval is not touched. OLM's catalog
// operator creates a plan and then updates its status with the resourceVersion of
// that creation (createInstallPlan). A write in between makes the update conflict:
// OLM leaves a plan without status behind, which it never carries out, and
// creates another one.
//
// If the plan has been written to since it was looked at, it is read again and
// judged again. If it is then another plan, or names other CSVs, nothing is
// changed and the error is a *problem.Error of the kind problem.Refused. All other
// errors are the server's.
func Approve(ctx context.Context, client dynamic.Interface, plan *unstructured.Unstructured) (bool, error) {
	plans := client.Resource(InstallPlans()).Namespace(plan.GetNamespace())
	seen := plan
	for range approveTries {
		now := PlanOf(seen)
		if now.Approved || !now.Waits() {
			return now.Approved, nil
		}
		err := approve(ctx, plans, seen)
		if !apierrors.IsConflict(err) {
			return err == nil, err
		}
		if seen, err = plans.Get(ctx, plan.GetName(), metav1.GetOptions{}); err != nil {
			return false, err
		}
		if seen.GetUID() != plan.GetUID() || !slices.Equal(PlanOf(seen).CSVs, PlanOf(plan).CSVs) {
			return false, changed(plan)
		}
	}
	return false, nil
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
		Next: listed("installplans."+group, plan.GetNamespace()) + ", then run this command again",
	}
}
