package olm

import (
	"context"
	"encoding/json"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// deploy makes what a CSV installs, and lets the one before it be replaced.
func (o *OLM) deploy(ctx context.Context, v *view, csv *unstructured.Unstructured) error {
	if err := o.replace(ctx, v, csv); err != nil {
		return err
	}
	bundle, err := o.config.Bundle(strings.TrimPrefix(csv.GetName(), Package+".v"), csv.GetNamespace())
	if err != nil {
		return err
	}
	kinds := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	definition, err := o.config.Cluster.Resource(kinds).Get(ctx, "buckets.s3.services.k8s.aws", metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, object := range bundle {
		switch object.GetKind() {
		case "ClusterRole", "ClusterRoleBinding":
			labels := object.GetLabels()
			if labels[ownerLabel] != "" { // the operator's own, and ends with it
				break
			}
			labels["olm.managed"] = "true"
			object.SetLabels(labels)
			// The rights live as long as the kind does, not the operator.
			object.SetOwnerReferences([]metav1.OwnerReference{owner(definition)})
		case "Deployment":
			if err := o.dress(v, csv, object); err != nil {
				return err
			}
		default:
			continue
		}
		if _, err := o.put(ctx, object); err != nil {
			return err
		}
	}
	o.applied[string(csv.GetUID())] = v.config(csv)
	return nil
}

func (o *OLM) replace(ctx context.Context, v *view, csv *unstructured.Unstructured) error {
	old := text(csv, "spec", "replaces")
	for i, before := range v.csvs {
		if old != "" && before.GetNamespace() == csv.GetNamespace() && before.GetName() == old {
			return o.phase(ctx, &v.csvs[i], "Replacing", "BeingReplaced", "being replaced by csv: "+csv.GetName())
		}
	}
	return nil
}

// dress gives the Deployment its owner, OLM's labels and annotations, and what
// the Subscription's spec.config adds to every container.
func (o *OLM) dress(v *view, csv, deployment *unstructured.Unstructured) error {
	deployment.SetOwnerReferences([]metav1.OwnerReference{owner(csv)})
	labels := deployment.GetLabels()
	labels["olm.owner"], labels["olm.owner.namespace"] = csv.GetName(), csv.GetNamespace()
	labels["olm.owner.kind"], labels["olm.managed"], labels[label(csv.GetNamespace())] = "ClusterServiceVersion", "true", ""
	deployment.SetLabels(labels)
	group := ""
	for _, found := range v.groups {
		if found.GetNamespace() == csv.GetNamespace() {
			group = found.GetName()
		}
	}
	annotations := map[string]any{"olm.operatorGroup": group, "olm.operatorNamespace": csv.GetNamespace(), "olm.targetNamespaces": ""}
	if err := unstructured.SetNestedMap(deployment.Object, annotations, "spec", "template", "metadata", "annotations"); err != nil {
		return err
	}
	config := map[string]any{}
	if sub := v.claims(csv); sub != nil {
		config, _, _ = unstructured.NestedMap(sub.Object, "spec", "config")
	}
	pod, _, err := unstructured.NestedMap(deployment.Object, "spec", "template", "spec")
	if err != nil {
		return err
	}
	merge(pod, config, "volumes")
	containers, _ := pod["containers"].([]any)
	for _, entry := range containers {
		container, ok := entry.(map[string]any)
		if !ok {
			continue
		}
		merge(container, config, "env")
		merge(container, config, "volumeMounts")
		merge(container, map[string]any{"env": []any{map[string]any{"name": "OPERATOR_CONDITION_NAME", "value": csv.GetName()}}}, "env")
	}
	return unstructured.SetNestedMap(deployment.Object, pod, "spec", "template", "spec")
}

// merge adds named entries of one list to another, in place of those of the same
// name.
func merge(into, from map[string]any, field string) {
	have, _ := into[field].([]any)
	more, _ := from[field].([]any)
	for _, entry := range more {
		at := len(have)
		for i, other := range have {
			if name(other) == name(entry) {
				at = i
			}
		}
		have = append(have[:at:at], append([]any{entry}, have[min(at+1, len(have)):]...)...)
	}
	if len(have) > 0 {
		into[field] = have
	}
}

func name(entry any) any {
	fields, _ := entry.(map[string]any)
	return fields["name"]
}

// config is the Subscription's spec.config as text.
func (v *view) config(csv *unstructured.Unstructured) string {
	sub := v.claims(csv)
	if sub == nil {
		return ""
	}
	config, _, _ := unstructured.NestedMap(sub.Object, "spec", "config")
	out, _ := json.Marshal(config)
	return string(out)
}

// stale says why an installation has to be done again, "" if it has not. The first
// spec.config seen with a CSV that was there before counts as installed.
func (o *OLM) stale(ctx context.Context, v *view, csv *unstructured.Unstructured) (string, error) {
	key, config := string(csv.GetUID()), v.config(csv)
	before, known := o.applied[key]
	if !known {
		o.applied[key] = config
	}
	if known && config != "" && config != before {
		return "NeedsReinstall", nil
	}
	if !o.mine[csv.GetUID()] {
		return "", nil
	}
	_, err := o.config.Cluster.Resource(deployments).Namespace(csv.GetNamespace()).Get(ctx, Package, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "ComponentUnhealthy", nil
	}
	return "", err
}
