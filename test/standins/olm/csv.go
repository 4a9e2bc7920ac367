package olm

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// makeCSV makes the CSV of a version, in place of the installed one if there is
// one, which begins to be replaced.
func (o *OLM) makeCSV(ctx context.Context, v *view, bundle []*unstructured.Unstructured, namespace, version string) (*unstructured.Unstructured, error) {
	var deployment any
	for _, object := range bundle {
		if object.GetKind() == "Deployment" {
			deployment = map[string]any{"name": object.GetName(), "spec": object.Object["spec"]}
		}
	}
	csv := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "operators.coreos.com/v1alpha1", "kind": "ClusterServiceVersion",
		"spec": map[string]any{
			"displayName": "AWS Controllers for Kubernetes - Amazon S3", "version": version,
			"provider": map[string]any{"name": "Amazon, Inc."},
			"install":  map[string]any{"strategy": "deployment", "spec": map[string]any{"deployments": []any{deployment}}},
			"customresourcedefinitions": map[string]any{"owned": []any{map[string]any{
				"name": "buckets.s3.services.k8s.aws", "version": "v1alpha1", "kind": "Bucket", "displayName": "Bucket",
			}}},
		},
	}}
	csv.SetName(CSV(version))
	csv.SetLabels(map[string]string{label(namespace): "", "olm.managed": "true"})
	if before := v.before(namespace, csv.GetName()); before != nil {
		_ = unstructured.SetNestedField(csv.Object, before.GetName(), "spec", "replaces")
	}
	client := o.config.Cluster.Resource(csvs).Namespace(namespace)
	made, err := client.Create(ctx, csv, metav1.CreateOptions{FieldManager: "catalog"})
	if apierrors.IsAlreadyExists(err) {
		if made, err = client.Get(ctx, csv.GetName(), metav1.GetOptions{}); err != nil || text(made, "status", "phase") != "" {
			return made, err
		}
	}
	if err == nil {
		o.mine[made.GetUID()] = true
	}
	return made, err
}

// before is the CSV that a Subscription of the namespace has installed, if it
// is another than the named one.
func (v *view) before(namespace, name string) *unstructured.Unstructured {
	for i, csv := range v.csvs {
		sub := v.claims(&csv)
		if sub != nil && csv.GetNamespace() == namespace && csv.GetName() != name && text(sub, "status", "installedCSV") == csv.GetName() {
			return &v.csvs[i]
		}
	}
	return nil
}

// csv brings an installation of ours one phase on. One whose Deployment is gone,
// or whose Subscription's spec.config changed, begins again.
func (o *OLM) csv(ctx context.Context, v *view, orders orders, csv *unstructured.Unstructured) (again bool, err error) {
	if csv.GetDeletionTimestamp() != nil {
		return false, nil
	}
	phase, reason := text(csv, "status", "phase"), text(csv, "status", "reason")
	if phase == "Succeeded" || phase == "Installing" {
		if stale, err := o.stale(ctx, v, csv); err != nil || stale != "" {
			o.mine[csv.GetUID()] = true
			return false, errors.Join(err, o.phase(ctx, csv, "Pending", stale, "installing: waiting for deployment "+Package+" to become ready"))
		}
	}
	if !o.mine[csv.GetUID()] || phase == "Replacing" {
		return false, nil
	}
	if why, message := v.groupProblem(csv.GetNamespace()); why != "" {
		return false, o.phase(ctx, csv, "Failed", why, message)
	}
	if phase == "Pending" && reason == "RequirementsUnknown" {
		return true, o.unmet(ctx, orders, csv)
	}
	if phase == "Pending" && reason == "RequirementsNotMet" && time.Now().Before(o.since["needs "+string(csv.GetUID())]) {
		return true, nil
	}
	return false, o.bringOn(ctx, v, orders, csv, phase, reason)
}

// unmet finds a requirement that is not met for a moment, as OLM does at every
// installation: its own Roles are not in its cache yet, and at an upgrade the
// service account is still the version's before.
func (o *OLM) unmet(ctx context.Context, orders orders, csv *unstructured.Unstructured) error {
	lacks := map[string]any{"group": "", "version": "v1", "kind": "ServiceAccount", "name": Package, "status": "PresentNotSatisfied"}
	if text(csv, "spec", "replaces") != "" {
		lacks["message"] = "Service account is owned by another ClusterServiceVersion"
	} else {
		lacks["message"] = "Policy rule not satisfied for service account"
		lacks["dependents"] = []any{map[string]any{
			"group": "rbac.authorization.k8s.io", "kind": "PolicyRule", "version": "v1", "status": "NotSatisfied",
			"message": `namespaced rule:{"verbs":["get","list","watch"],"apiGroups":[""],"resources":["secrets"]}`,
		}}
	}
	o.since["needs "+string(csv.GetUID())] = time.Now().Add(orders.unmet + o.between(100*time.Millisecond, time.Second))
	return o.setStatus(ctx, csv, map[string]any{
		"phase": "Pending", "reason": "RequirementsNotMet", "message": "one or more requirements couldn't be found",
		"requirementStatus": []any{lacks}, "lastTransitionTime": now(), "lastUpdateTime": now(),
	})
}

// bringOn brings an installation one phase on.
func (o *OLM) bringOn(ctx context.Context, v *view, orders orders, csv *unstructured.Unstructured, phase, reason string) error {
	switch {
	case phase == "", phase == "Failed" && (orders.failReason == "" || orders.failReason != reason):
		return o.phase(ctx, csv, "Pending", "RequirementsUnknown", "requirements not yet checked")
	case phase == "Pending":
		return o.phase(ctx, csv, "InstallReady", "AllRequirementsMet", "all requirements found, attempting install")
	case phase == "InstallReady":
		if err := o.deploy(ctx, v, csv); err != nil {
			return err
		}
		return o.phase(ctx, csv, "Installing", "InstallSucceeded", "waiting for install components to report healthy")
	case phase == "Installing" && orders.failReason != "":
		return o.phase(ctx, csv, "Failed", orders.failReason, orders.failMessage)
	case phase == "Installing":
		return o.check(ctx, v, csv)
	}
	return nil
}

// groupProblem is what keeps all CSVs of a namespace from being installed.
func (v *view) groupProblem(namespace string) (reason, message string) {
	count := 0
	for _, group := range v.groups {
		if group.GetNamespace() == namespace {
			count++
		}
	}
	switch count {
	case 0:
		return "NoOperatorGroup", "csv in namespace with no operatorgroups"
	case 1:
		return "", ""
	}
	return "TooManyOperatorGroups", "csv created in namespace with multiple operatorgroups, can't pick one automatically"
}

// check ends the installation when the Deployment is available; the CSV that
// was replaced goes then.
func (o *OLM) check(ctx context.Context, v *view, csv *unstructured.Unstructured) error {
	deployment, err := o.config.Cluster.Resource(deployments).Namespace(csv.GetNamespace()).Get(ctx, Package, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if waits := unready(deployment); waits != "" {
		return o.phase(ctx, csv, "Installing", "InstallWaiting", "installing: waiting for deployment "+Package+" to become ready: "+waits)
	}
	if err := o.phase(ctx, csv, "Succeeded", "InstallSucceeded", "install strategy completed with no errors"); err != nil {
		return err
	}
	old := text(csv, "spec", "replaces")
	if old == "" {
		return nil
	}
	err = o.config.Cluster.Resource(csvs).Namespace(csv.GetNamespace()).Delete(ctx, old, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func unready(deployment *unstructured.Unstructured) string {
	number := func(path ...string) int64 {
		value, _, _ := unstructured.NestedInt64(deployment.Object, path...)
		return value
	}
	want := number("spec", "replicas")
	switch {
	case number("status", "observedGeneration") < deployment.GetGeneration():
		return "waiting for spec update to be observed"
	case number("status", "updatedReplicas") < want:
		return fmt.Sprintf("%d out of %d new replicas have been updated", number("status", "updatedReplicas"), want)
	case number("status", "replicas") > want:
		return fmt.Sprintf("%d old replicas are pending termination", number("status", "replicas")-want)
	case number("status", "availableReplicas") < want:
		return "deployment \"" + Package + "\" not available: Deployment does not have minimum availability."
	}
	return ""
}

// phase writes a phase unless it is the one there.
func (o *OLM) phase(ctx context.Context, csv *unstructured.Unstructured, phase, reason, message string) error {
	status := func(field string) string { return text(csv, "status", field) }
	if status("phase") == phase && status("reason") == reason && status("message") == message {
		return nil
	}
	return o.setStatus(ctx, csv, map[string]any{
		"phase": phase, "reason": reason, "message": message, "lastTransitionTime": now(), "lastUpdateTime": now(),
	})
}

// put makes an object or writes over the one that is there.
func (o *OLM) put(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	resource := map[string]schema.GroupVersionResource{
		"CustomResourceDefinition": {Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
		"ClusterRole":              clusterRoles,
		"ClusterRoleBinding":       clusterRoleBindings,
		"Deployment":               deployments,
	}[object.GetKind()]
	client := o.config.Cluster.Resource(resource).Namespace(object.GetNamespace())
	found, err := client.Get(ctx, object.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return client.Create(ctx, object, metav1.CreateOptions{FieldManager: "olm"})
	} else if err != nil {
		return nil, err
	}
	object.SetResourceVersion(found.GetResourceVersion())
	return client.Update(ctx, object, metav1.UpdateOptions{FieldManager: "olm"})
}
