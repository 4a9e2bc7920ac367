package testbed

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ControllerNamespace is where the ACK S3 controller is installed.
const ControllerNamespace = "ack-system"

// installController makes the controller's objects: as OLM does on OpenShift,
// else as ACK's chart does. It comes after the webhook, which gives the pod its
// identity. The pod itself does nothing: Bed.ACK does the work.
func (b *Bed) installController(ctx context.Context) error {
	switch {
	case !b.furnished():
		return nil
	case b.Platform.OpenShift():
		return b.installByOLM(ctx)
	}
	return b.applyFiles(ctx, "ack-helm")
}

// controllerReady: its pod is ready and has its identity. The API server needs a
// moment to hear of a new webhook; a pod that came before is made anew, as a
// person would do.
func (b *Bed) controllerReady(ctx context.Context) error {
	if !b.furnished() {
		return nil
	}
	pods := b.Client.CoreV1().Pods(ControllerNamespace)
	list, err := pods.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	if len(list.Items) != 1 {
		return errors.New("the ACK controller has not exactly one pod")
	}
	pod := list.Items[0]
	if b.Webhook != nil && !hasVariable(pod.Spec.Containers[0], "AWS_ROLE_ARN") {
		return errors.Join(errors.New("the ACK controller's pod has no identity"), pods.Delete(ctx, pod.Name, metav1.DeleteOptions{}))
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return nil
		}
	}
	return errors.New("the ACK controller's pod is not ready")
}

// ControllerSettled waits until the controller's objects are as after Start, for
// who changed them and put them back.
func (b *Bed) ControllerSettled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return Poll(ctx, 100*time.Millisecond, b.controllerReady)
}

// CrashController lets the controller's pods end over and over with this text in
// their log, those to come as well, and the controller not work; "" heals them.
func (b *Bed) CrashController(log string) { b.ACK.Crash(log) }

// ControllerLog adds lines to the log of the controller's pods that run. The real
// one's are JSON, for example {"level":"error","ts":"2026-11-23T10:00:00.000Z",
// "logger":"ackrt","msg":"Reconciler error","controller":"bucket",
// "namespace":"demo","name":"demo-bucket","error":"..."}.
func (b *Bed) ControllerLog(lines ...string) { b.ACK.Log(lines...) }

func hasVariable(container corev1.Container, name string) bool {
	for _, env := range container.Env {
		if env.Name == name {
			return true
		}
	}
	return false
}
