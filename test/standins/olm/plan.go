package olm

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// makePlan makes an InstallPlan, unless the Subscription has one for the CSV
// that was not carried out yet.
func (o *OLM) makePlan(ctx context.Context, v *view, orders orders, sub *unstructured.Unstructured, csv string) (*unstructured.Unstructured, error) {
	for i, plan := range v.plans {
		if text(&plan, "status", "phase") == "" { // OLM does not know such a plan again
			continue
		}
		owned := slices.ContainsFunc(plan.GetOwnerReferences(), func(owner metav1.OwnerReference) bool { return owner.UID == sub.GetUID() })
		if owned && slices.Contains(list(&plan, "spec", "clusterServiceVersionNames"), any(csv)) && text(&plan, "status", "phase") != "Complete" {
			return &v.plans[i], nil
		}
	}
	approval := text(sub, "spec", "installPlanApproval")
	if approval == "" {
		approval = "Automatic"
	}
	names := []any{csv}
	if orders.together != "" {
		names = append(names, orders.together)
	}
	plan := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "operators.coreos.com/v1alpha1", "kind": "InstallPlan",
		"spec": map[string]any{
			"approval": approval, "approved": approval == "Automatic", "clusterServiceVersionNames": names, "generation": int64(1),
		},
	}}
	plan.SetGenerateName("install-")
	plan.SetLabels(map[string]string{label(sub.GetNamespace()): ""})
	plan.SetOwnerReferences(v.owners(sub))
	made, err := o.config.Cluster.Resource(installPlans).Namespace(sub.GetNamespace()).Create(ctx, plan, metav1.CreateOptions{FieldManager: "catalog"})
	if err != nil {
		return nil, err
	}
	return made, o.writePlan(ctx, sub, made, approval)
}

// writePlan writes the status of a plan that was just made, with the
// resourceVersion of the creation, as OLM's createInstallPlan does. Who writes to
// the plan in between makes that conflict: the plan then stays without a status for
// good, the Subscription says why, and the next plan is made later.
func (o *OLM) writePlan(ctx context.Context, sub, plan *unstructured.Unstructured, approval string) error {
	if err := o.overtake(ctx, plan); err != nil {
		return err
	}
	o.pause(ctx, 20*time.Millisecond, 150*time.Millisecond)
	phase := "RequiresApproval"
	if approval == "Automatic" {
		phase = "Installing"
	}
	err := o.setStatus(ctx, plan, map[string]any{"phase": phase, "catalogSources": []any{Catalog}})
	if !apierrors.IsConflict(err) {
		return err
	}
	o.since["plan "+string(sub.GetUID())] = time.Now().Add(o.between(200*time.Millisecond, 600*time.Millisecond))
	return errors.Join(errLost, o.setStatus(ctx, sub, map[string]any{
		"conditions": []any{healthy(), condition("BundleUnpackFailed", "True", "EnsureInstallPlanFailed", "error ensuring InstallPlan: "+err.Error())},
	}))
}

// errLost: a plan was written to before its status was.
var errLost = errors.New("the plan was lost")

// overtake writes to a plan before OLM has written its status, as ordered.
func (o *OLM) overtake(ctx context.Context, plan *unstructured.Unstructured) error {
	o.lock.Lock()
	ordered := o.orders.overtake > 0
	o.orders.overtake = max(0, o.orders.overtake-1)
	o.lock.Unlock()
	if !ordered {
		return nil
	}
	_, err := o.config.Cluster.Resource(installPlans).Namespace(plan.GetNamespace()).
		Patch(ctx, plan.GetName(), types.MergePatchType, []byte(`{"spec":{"approved":true}}`), metav1.PatchOptions{FieldManager: "somebody"})
	return err
}

// owners are all Subscriptions of the namespace, those to other packages as well
// (catalog operator, createInstallPlan).
func (v *view) owners(sub *unstructured.Unstructured) []metav1.OwnerReference {
	all := []metav1.OwnerReference{owner(sub)}
	for _, other := range v.subscriptions {
		if other.GetNamespace() == sub.GetNamespace() && other.GetUID() != sub.GetUID() {
			all = append(all, owner(&other))
		}
	}
	return all
}

// owner is how OLM notes who something belongs to.
func owner(of *unstructured.Unstructured) metav1.OwnerReference {
	no := false
	return metav1.OwnerReference{
		APIVersion: of.GetAPIVersion(), Kind: of.GetKind(), Name: of.GetName(), UID: of.GetUID(), BlockOwnerDeletion: &no, Controller: &no,
	}
}

// plan waits for the approval and carries the plan out. Plans that somebody
// else made complete stay as they are, and so do those without a status.
func (o *OLM) plan(ctx context.Context, v *view, orders orders, plan *unstructured.Unstructured) error {
	approved, _, _ := unstructured.NestedBool(plan.Object, "spec", "approved")
	switch phase := text(plan, "status", "phase"); {
	case approved && phase == "RequiresApproval":
		return o.setStatus(ctx, plan, map[string]any{"phase": "Installing", "catalogSources": []any{Catalog}})
	case phase != "Installing":
		return nil
	}
	for _, name := range list(plan, "spec", "clusterServiceVersionNames") {
		if err := o.install(ctx, v, orders, plan.GetNamespace(), name.(string)); err != nil {
			return err
		}
	}
	return o.setStatus(ctx, plan, map[string]any{"phase": "Complete", "conditions": []any{condition("Installed", "True", "", "")}})
}

// install does what the steps of a plan say for one CSV.
func (o *OLM) install(ctx context.Context, v *view, orders orders, namespace, name string) error {
	version, ours := strings.CutPrefix(name, Package+".v")
	if !ours {
		return o.stranger(ctx, namespace, name)
	}
	bundle, err := o.config.Bundle(version, namespace)
	if err != nil {
		return err
	}
	for _, object := range bundle {
		if object.GetKind() == "CustomResourceDefinition" {
			object.SetLabels(map[string]string{"olm.managed": "true", label(namespace): ""})
			if _, err := o.put(ctx, object); err != nil {
				return err
			}
		}
	}
	if err := o.ensureRoles(ctx, namespace); err != nil {
		return err
	}
	csv, err := o.makeCSV(ctx, v, bundle, namespace, version)
	if err != nil {
		return err
	}
	return o.ensureAccount(ctx, csv, !orders.old)
}

// stranger is another operator's CSV, which installs nothing here.
func (o *OLM) stranger(ctx context.Context, namespace, name string) error {
	csv := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "operators.coreos.com/v1alpha1", "kind": "ClusterServiceVersion", "spec": map[string]any{"displayName": name},
	}}
	csv.SetName(name)
	made, err := o.config.Cluster.Resource(csvs).Namespace(namespace).Create(ctx, csv, metav1.CreateOptions{FieldManager: "catalog"})
	if apierrors.IsAlreadyExists(err) {
		return nil
	} else if err != nil {
		return err
	}
	return o.setStatus(ctx, made, map[string]any{"phase": "Succeeded", "reason": "InstallSucceeded"})
}

// ensureAccount makes the service account of a CSV its own (EnsureServiceAccount).
// OLM 0.46 keeps the annotations of one that is there and drops its labels. Before
// 0.33 it drops both. Both do so at the first installation, too.
func (o *OLM) ensureAccount(ctx context.Context, csv *unstructured.Unstructured, keep bool) error {
	client := o.config.Cluster.Resource(serviceAccounts).Namespace(csv.GetNamespace())
	account := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ServiceAccount"}}
	account.SetName(Package)
	account.SetLabels(map[string]string{"olm.managed": "true", label(csv.GetNamespace()): ""})
	account.SetOwnerReferences([]metav1.OwnerReference{owner(csv)})
	before, err := client.Get(ctx, Package, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = client.Create(ctx, account, metav1.CreateOptions{FieldManager: "catalog"})
		return err
	} else if err != nil {
		return err
	}
	others := slices.DeleteFunc(before.GetOwnerReferences(), func(other metav1.OwnerReference) bool { return other.UID == csv.GetUID() })
	account.SetOwnerReferences(append(others, owner(csv)))
	account.SetResourceVersion(before.GetResourceVersion())
	if keep {
		account.SetAnnotations(before.GetAnnotations())
	}
	_, err = client.Update(ctx, account, metav1.UpdateOptions{FieldManager: "catalog"})
	return err
}
