package testbed

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The ways in which pods can be made to fail.
const (
	// FailImage: the image cannot be pulled; the message is what kubelet repeats of the
	// container runtime, "": there is no such tag.
	FailImage = "image"
	// FailInit: the init containers end with an error, over and over; the
	// message is what stood in /dev/termination-log.
	FailInit = "init"
)

// FailPods makes pods that are created in the namespace from now on fail, in
// one of the ways above. It returns when the API server does so.
func (b *Bed) FailPods(ctx context.Context, namespace, way, message string) error {
	name := "fail-" + namespace
	err := b.Apply(ctx, fmt.Sprintf(`apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: %[1]s}
spec:
  failurePolicy: Fail
  reinvocationPolicy: Never
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[2]s}}
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: |
        Object{metadata: Object.metadata{annotations: {"testbed/fail": %[3]q, "testbed/message": %[4]s}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: %[1]s}
spec: {policyName: %[1]s}
`, name, namespace, way, strconv.QuoteToASCII(message)))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return Poll(ctx, 100*time.Millisecond, func(ctx context.Context) error { return b.failing(ctx, namespace) })
}

// failing tries, without making anything, whether the policy is in force.
func (b *Bed) failing(ctx context.Context, namespace string) error {
	no, yes := false, true
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "probe", Image: "probe",
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: &no, RunAsNonRoot: &yes,
				Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
		}}},
	}
	made, err := b.Client.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return err
	}
	if made.Annotations["testbed/fail"] == "" {
		return fmt.Errorf("pods in %s do not fail yet", namespace)
	}
	return nil
}

// HealPods takes FailPods back, for pods created from now on.
func (b *Bed) HealPods(ctx context.Context, namespace string) error {
	policies := b.Client.AdmissionregistrationV1()
	name := "fail-" + namespace
	if err := policies.MutatingAdmissionPolicyBindings().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	if err := policies.MutatingAdmissionPolicies().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	return Poll(ctx, 100*time.Millisecond, func(ctx context.Context) error {
		if b.failing(ctx, namespace) == nil {
			return fmt.Errorf("pods in %s still fail", namespace)
		}
		return nil
	})
}
