package health

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// podOnArm is a pod on a node of another architecture, with the status of one container.
func podOnArm(list, name string, status map[string]any) *unstructured.Unstructured {
	status["name"] = name
	pod := &unstructured.Unstructured{Object: map[string]any{
		"spec":   map[string]any{"nodeName": "arm-1"},
		"status": map[string]any{list: []any{status}},
	}}
	pod.SetName("p")
	pod.SetNamespace("demo")
	return pod
}

// TestWrongPlatform: however the container runtime says that it cannot run the image, the
// finding is about the architecture, and not about the role or the bucket.
func TestWrongPlatform(t *testing.T) {
	said := func(in, of, message string) map[string]any {
		return map[string]any{in: map[string]any{of: map[string]any{"exitCode": int64(1), "finishedAt": "2026-01-02T03:04:05Z", "reason": "Error", "message": message}}}
	}
	loop := said("lastState", "terminated", "exec /bin/sh: exec format error\n")
	loop["state"] = map[string]any{"waiting": map[string]any{"reason": "CrashLoopBackOff"}}
	for name, pod := range map[string]*unstructured.Unstructured{
		"the waiting container ended": podOnArm("initContainerStatuses", BucketWaiter, said("state", "terminated", "exec container process `/bin/sh`: Exec format error")),
		"it ends again and again":     podOnArm("initContainerStatuses", BucketWaiter, loop),
		"it cannot be started":        podOnArm("containerStatuses", "ostoy-microservice", said("state", "waiting", "failed to create task: exec: \"node\": exec format error")),
	} {
		s := Pod(pod, Around{BucketReady: true, Install: byArgo}).Settled()
		if s.Level != Fail || s.About != Platform || !strings.Contains(s.Text, "another architecture than node arm-1") ||
			!strings.Contains(s.Hint, `CHANGE IN GIT --set nodeSelector.kubernetes\.io/arch=`) || strings.Contains(s.Hint, "role") {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := Pod(podOnArm("containerStatuses", "controller", loop), Around{}); s.About != Platform || strings.Contains(s.Hint, "OSToy") || s.Hint == "" {
		t.Errorf("of pods that are not the app's: %+v", s)
	}
	if s := Pod(podOnArm("initContainerStatuses", BucketWaiter, said("state", "terminated", "AccessDenied from HeadBucket")), Around{}); s.About == Platform {
		t.Errorf("of another failure: %+v", s)
	}
}

// byArgo is for Around.Install: only who looks at the app knows who manages it.
func byArgo(flags ...string) string {
	return strings.Join(append([]string{"CHANGE IN GIT"}, flags...), " ")
}

// TestNeededLabels: the scheduler does not name the labels that no node has.
func TestNeededLabels(t *testing.T) {
	const message = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."
	pod := &unstructured.Unstructured{Object: map[string]any{
		"spec":   map[string]any{"nodeSelector": map[string]any{ArchLabel: "amd64", OSLabel: "linux"}},
		"status": map[string]any{"conditions": []any{map[string]any{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}}},
	}}
	if s := Pod(pod, Around{}); !strings.Contains(s.Text, "it needs a node with kubernetes.io/arch=amd64 and kubernetes.io/os=linux") {
		t.Errorf("%+v", s)
	}
	if got := neededLabels(pod, "0/3 nodes are available: 3 Insufficient cpu."); got != "" {
		t.Errorf("of another reason: %q", got)
	}
}
