package ack

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
)

// Rollout judges the Deployment, with the pods of its newest template. Scaled to 0 it
// is wrong: no rollout would say so.
func (t Told) Rollout() health.State {
	if t.Replicas() == 0 {
		return health.Failing(health.State{Text: "it is scaled to 0", Hint: advice.Command("oc scale", append(t.Words(), "--replicas=1")...)})
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&t.Deployment)
	if err != nil {
		return health.State{Text: err.Error()}
	}
	return health.Deployment(&unstructured.Unstructured{Object: content}, t.current(content), health.Around{})
}

// Current reports whether a pod is one of the newest template's.
func (t Told) Current(pod Pod) bool {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&t.Deployment)
	return err == nil && slices.ContainsFunc(t.current(content), func(one *unstructured.Unstructured) bool { return one.GetName() == pod.Name })
}

func (t Told) current(deployment map[string]any) []*unstructured.Unstructured {
	objects := make([]*unstructured.Unstructured, len(t.Pods))
	for i, pod := range t.Pods {
		objects[i] = pod.Object
	}
	return health.CurrentPods(&unstructured.Unstructured{Object: deployment}, objects)
}

// Overlap is there where two that run look at the same Buckets: each works on all of
// them, and one of another account creates a second bucket of the name, or fails
// indefinitely.
func Overlap(all []Told) (Fault, bool) {
	shares := func(a, b Told) bool {
		mine, theirs := a.Flags.Pieces("watch-namespace"), b.Flags.Pieces("watch-namespace")
		return len(mine) == 0 || len(theirs) == 0 || slices.ContainsFunc(mine, b.Flags.Watches)
	}
	running := slices.DeleteFunc(slices.Clone(all), func(t Told) bool { return t.Replicas() == 0 })
	var names, last []string
	for i, one := range running {
		if slices.ContainsFunc(slices.Delete(slices.Clone(running), i, i+1), func(other Told) bool { return shares(one, other) }) {
			names, last = append(names, one.String()), one.Words()
		}
	}
	if len(names) == 0 {
		return Fault{}, false
	}
	return Fault{
		What:  fmt.Sprintf("%d ACK S3 controllers look at the same Buckets", len(names)),
		Why:   "each works on all of them, with its own role and region, and undoes what the other did: " + strings.Join(names, "; "),
		Next:  "keep one; what each watches is its --watch-namespace; to stop one: " + advice.Command("oc scale", append(last, "--replicas=0")...),
		Grave: true,
	}, true
}
