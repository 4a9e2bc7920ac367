package ack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func isReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// show writes the status kubelet would: all containers run, or none is ready and
// the reason stands beside each.
func (c *Controller) show(ctx context.Context, pod *corev1.Pod, why trouble) error {
	client := c.config.Client.CoreV1().Pods(pod.Namespace)
	fresh, err := client.Get(ctx, pod.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	now := metav1.Now()
	state, last, restarts, ready := corev1.ContainerState{}, corev1.ContainerState{}, int32(0), false
	switch {
	case why.config != "":
		state.Waiting = &corev1.ContainerStateWaiting{Reason: "CreateContainerConfigError", Message: why.config}
	case why.line != "":
		restarts = 5
		state.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 2m40s restarting failed container"}
		last.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", StartedAt: now, FinishedAt: now}
	default:
		ready = true
		state.Running = &corev1.ContainerStateRunning{StartedAt: now}
	}
	fresh.Status.ContainerStatuses = nil
	for _, container := range pod.Spec.Containers {
		fresh.Status.ContainerStatuses = append(fresh.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, Ready: ready, Started: &ready,
			RestartCount: restarts, State: state, LastTerminationState: last,
		})
	}
	fresh.Status.Phase = corev1.PodRunning
	if why.config != "" {
		fresh.Status.Phase = corev1.PodPending
	}
	fresh.Status.HostIP, fresh.Status.StartTime = "127.0.0.1", &now
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	fresh.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: now},
		{Type: corev1.PodInitialized, Status: corev1.ConditionTrue, LastTransitionTime: now},
		{Type: corev1.ContainersReady, Status: status, LastTransitionTime: now},
		{Type: corev1.PodReady, Status: status, LastTransitionTime: now},
	}
	_, err = client.UpdateStatus(ctx, fresh, metav1.UpdateOptions{})
	return err
}

func (c *Controller) logFile(pod *corev1.Pod, suffix string) string {
	return filepath.Join(c.config.LogDir, pod.Namespace+"_"+pod.Name+suffix+".log")
}

// announce tells kwok where the pod's logs are, in an object that ends with the
// pod, and whether that was possible.
func (c *Controller) announce(ctx context.Context, pod *corev1.Pod) bool {
	c.write(pod, "")
	c.write(pod, ".previous")
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Logs",
		"spec": map[string]any{"logs": []any{map[string]any{
			"containers": []any{pod.Spec.Containers[containerOf(pod)].Name},
			"logsFile":   c.logFile(pod, ""), "previousLogsFile": c.logFile(pod, ".previous"),
		}}},
	}}
	object.SetName(pod.Name)
	object.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}})
	logs := schema.GroupVersionResource{Group: "kwok.x-k8s.io", Version: "v1alpha1", Resource: "logs"}
	_, err := c.config.Cluster.Resource(logs).Namespace(pod.Namespace).Create(ctx, object, metav1.CreateOptions{})
	return err == nil || apierrors.IsAlreadyExists(err)
}

// write appends lines to a pod's log as a container runtime writes them.
func (c *Controller) write(pod *corev1.Pod, suffix string, lines ...string) {
	file, err := os.OpenFile(c.logFile(pod, suffix), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return // the bed is going away, and its folder with it
	}
	defer file.Close()
	for _, line := range lines {
		_, _ = fmt.Fprintf(file, "%s stderr F %s\n", time.Now().UTC().Format(time.RFC3339Nano), line)
	}
}

// started is the controller's line when it has begun to work.
func started() string {
	return fmt.Sprintf(`{"level":"info","ts":%q,"logger":"setup","msg":"starting manager","aws.service":"s3"}`, stamp())
}

// unstamped begins a line that gets its time when it is written.
const unstamped = `{"level":"error",`

// failed is the controller's line before it ends.
func failed(problem string) string {
	return fmt.Sprintf(unstamped+`"logger":"setup","msg":"Unable to create controller manager","aws.service":"s3","error":%q}`, problem)
}

func stamp() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
