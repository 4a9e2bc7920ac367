package ack

import (
	"cmp"
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// labelled are the controller's Deployment and pods as OLM and as ACK's chart
// label them.
const labelled = "app.kubernetes.io/name in (ack-s3-controller,s3-chart)"

// ServiceAccount is one of some namespace.
type ServiceAccount struct{ Namespace, Name string }

// Running reports whether a ready pod that looks like the controller, and whose service
// account proves that it is one, is anywhere in the cluster. Pods are looked for by
// their usual labels, then, because both ways to install can change those, by the image
// of every pod. If you are not allowed to list pods in all projects, the error is the
// server's refusal.
func Running(ctx context.Context, client dynamic.Interface, proves func(ServiceAccount) (bool, error)) (bool, error) {
	for _, selector := range []string{labelled, ""} {
		found, err := anyReady(ctx, client, selector, proves)
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

func anyReady(ctx context.Context, client dynamic.Interface, selector string, proves func(ServiceAccount) (bool, error)) (bool, error) {
	const page = 500
	pods := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"})
	opts := metav1.ListOptions{LabelSelector: selector, Limit: page}
	for {
		list, err := pods.List(ctx, opts)
		if err != nil {
			return false, err
		}
		for i := range list.Items {
			pod := &list.Items[i]
			if !isController(pod, selector != "") || !ready(pod) {
				continue
			}
			if is, err := proves(accountOf(pod)); is || err != nil {
				return is, err
			}
		}
		if opts.Continue = list.GetContinue(); opts.Continue == "" {
			return false, nil
		}
	}
}

func accountOf(pod *unstructured.Unstructured) ServiceAccount {
	name, _, _ := unstructured.NestedString(pod.Object, "spec", "serviceAccountName")
	return ServiceAccount{pod.GetNamespace(), cmp.Or(name, "default")}
}

// IsPod reports whether a pod is one of the controller's, as Running finds them.
func IsPod(pod *unstructured.Unstructured) bool {
	switch pod.GetLabels()["app.kubernetes.io/name"] {
	case "ack-s3-controller", "s3-chart":
		return true
	}
	return isController(pod, false)
}

// isController goes by the image, where the labels have not said it already: a
// mirror changes the registry, not the last part of the name.
func isController(pod *unstructured.Unstructured, byLabel bool) bool {
	if byLabel {
		return true
	}
	containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
	for _, entry := range containers {
		c, _ := entry.(map[string]any)
		image, _ := c["image"].(string)
		if imageIsController(image) {
			return true
		}
	}
	return false
}

func ready(pod *unstructured.Unstructured) bool {
	if pod.GetDeletionTimestamp() != nil {
		return false
	}
	conditions, _, _ := unstructured.NestedSlice(pod.Object, "status", "conditions")
	for _, entry := range conditions {
		if c, _ := entry.(map[string]any); c["type"] == "Ready" {
			return c["status"] == "True"
		}
	}
	return false
}
