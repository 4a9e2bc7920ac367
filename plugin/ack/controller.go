package ack

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// labelled are the controller's Deployment and pods as OLM and as ACK's chart
// label them.
const labelled = "app.kubernetes.io/name in (ack-s3-controller,s3-chart)"

// Running reports whether a ready pod of the controller is anywhere in the
// cluster. Pods are looked for by their usual labels, then, because both ways to
// install can change those, by the image of every pod. Who may not list pods
// everywhere gets the server's refusal.
func Running(ctx context.Context, client dynamic.Interface) (bool, error) {
	for _, selector := range []string{labelled, ""} {
		found, err := anyReady(ctx, client, selector)
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

func anyReady(ctx context.Context, client dynamic.Interface, selector string) (bool, error) {
	const page = 500
	pods := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"})
	opts := metav1.ListOptions{LabelSelector: selector, Limit: page}
	for {
		list, err := pods.List(ctx, opts)
		if err != nil {
			return false, err
		}
		for i := range list.Items {
			if pod := &list.Items[i]; isController(pod, selector != "") && ready(pod) {
				return true, nil
			}
		}
		if opts.Continue = list.GetContinue(); opts.Continue == "" {
			return false, nil
		}
	}
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
