// Package ack knows ACK's S3 controller: what its Bucket objects say, how one is
// let go without its data, and whether a controller is there to do it. The rules
// are the controller's own: those of pkg/runtime/reconciler.go in
// aws-controllers-k8s/runtime, compared with controller v1.10 at work.
//
// What changes an object is described here and done by others: this package
// sends nothing but reads.
package ack

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
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
	pods := client.Resource(kinds.Pod.GVR())
	opts := metav1.ListOptions{LabelSelector: selector, Limit: page}
	for {
		list, err := pods.List(ctx, opts)
		if err != nil {
			return false, err
		}
		for i := range list.Items {
			pod := &list.Items[i]
			if selector == "" && !hasImage(pod) || !ready(pod) {
				continue
			}
			account := cmp.Or(health.Text(pod.Object, "spec", "serviceAccountName"), "default")
			if is, err := proves(ServiceAccount{pod.GetNamespace(), account}); is || err != nil {
				return is, err
			}
		}
		if opts.Continue = list.GetContinue(); opts.Continue == "" {
			return false, nil
		}
	}
}

// IsPod reports whether a pod is one of the controller's, as Running finds them.
func IsPod(pod *unstructured.Unstructured) bool {
	name := pod.GetLabels()["app.kubernetes.io/name"]
	return name == "ack-s3-controller" || name == "s3-chart" || hasImage(pod)
}

// hasImage reports whether a pod runs the controller's image: a mirror changes the
// registry, not the last part of the name.
func hasImage(pod *unstructured.Unstructured) bool {
	return slices.ContainsFunc(health.Maps(pod.Object, "spec", "containers"), func(c map[string]any) bool {
		return imageIsController(health.Text(c, "image"))
	})
}

func ready(pod *unstructured.Unstructured) bool {
	return pod.GetDeletionTimestamp() == nil && health.PodReady(pod)
}

// withoutFields is a log in which each JSON object of zap's is its msg and error fields: the
// others, and the stack trace above all, would be repeated where a message quotes the
// rest of a line.
func withoutFields(log string) string {
	lines := strings.Split(log, "\n")
	for n, line := range lines {
		lines[n] = withoutFieldsIn(line)
	}
	return strings.Join(lines, "\n")
}

func withoutFieldsIn(line string) string {
	var fields map[string]any
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &fields) != nil {
		return line
	}
	said := LogError{Message: plain.Line(health.Text(fields, "msg")), Error: plain.Line(health.Text(fields, "error"))}
	return cmp.Or(said.Text(), line)
}

// LastWords are the last errors of a log, in their order, or, where it has none, its
// last lines that say something.
func LastWords(log string, most int) string {
	var said []string
	for _, failure := range ErrorsOf(log) {
		said = append(said, failure.Text())
	}
	if slices.Reverse(said); len(said) == 0 {
		for _, line := range strings.Split(log, "\n") {
			if line = strings.TrimSpace(withoutFieldsIn(line)); line != "" {
				said = append(said, line)
			}
		}
	}
	return plain.Line(strings.Join(said[max(0, len(said)-most):], " | "))
}
