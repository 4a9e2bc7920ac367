package trouble_test

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// forEver is a --timeout no test can live to see: a run that ends has failed
// fast.
const forEver = "2h"

// wantHopeless runs install and wants it to give up by itself.
func wantHopeless(t *testing.T, user run.User, namespace, object string, want message, args ...string) {
	t.Helper()
	args = append([]string{"install", "-n", namespace, "--timeout", forEver, "-o", "json"}, args...)
	wantGivenUp(t, user.Run(t, args...), namespace, object, want)
}

// wantGivenUp wants exit code 3, the message, and one JSON document that says what is not
// ready.
func wantGivenUp(t *testing.T, result run.Result, namespace, object string, want message) {
	t.Helper()
	wantMessages(t, result, notReady, want)
	var document struct {
		Namespace, Bucket, Role string
		Ready                   *bool
		States                  []struct {
			Kind, Name, Text, Level, Hint string
			Ready                         bool
		}
	}
	result.JSON(t, &document)
	if document.Ready == nil || *document.Ready || document.Namespace != namespace || document.Role == "" {
		t.Errorf("the document does not say that it is not ready\n%s", result)
	}
	hopeless, named := false, false
	for _, state := range document.States {
		hopeless = hopeless || state.Level == "fail"
		if state.Kind+" "+state.Name == object {
			named = !state.Ready && state.Level != "info" && state.Text != "" && state.Hint != ""
		}
	}
	if !hopeless || !named {
		t.Errorf("states %+v say too little of %s\n%s", document.States, object, result)
	}
}

func TestPodsThatNeverRun(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for _, c := range []struct{ namespace, way, said, why, next string }{
		{"wait-image", testbed.FailImage, "", "the image … cannot be pulled: it does not exist in the registry (reading manifest: manifest unknown)", "oc describe pod … set another image"},
		{
			"wait-denied", testbed.FailImage, "unauthorized: access to the requested resource is not authorized",
			"the image … cannot be pulled: the registry refuses it", "oc describe pod … pull secret",
		},
		{
			"wait-init", testbed.FailInit, "AccessDenied from AssumeRoleWithWebIdentity: Not authorized to perform sts:AssumeRoleWithWebIdentity",
			"wait-for-bucket: AccessDenied from AssumeRoleWithWebIdentity: Not authorized", "oc ostoy-s3 … -n wait-init",
		},
		{
			"wait-scp", testbed.FailInit, `Forbidden from HeadBucket wait-scp-bucket: User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::wait-scp-bucket" with an explicit deny in a service control policy`,
			"wait-for-bucket: Forbidden from HeadBucket wait-scp-bucket: … with an explicit deny in a service control policy", "ask who administers the AWS organization to lift the deny of s3:ListBucket",
		},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			t.Parallel()
			world.NewNamespace(t, bed, c.namespace)
			if err := bed.FailPods(t.Context(), c.namespace, c.way, c.said); err != nil {
				t.Fatal(err)
			}
			wantHopeless(t, run.Admin(bed), c.namespace, "Deployment ostoy-frontend", message{"will not become ready", c.why, c.next})
		})
	}
}

// TestQuota: a quota that is set while the app is waited for, so that pods cannot even be
// made. One that is there before is refused before anything is created (test/check).
func TestQuota(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "wait-quota"
	world.NewNamespace(t, bed, namespace)
	if err := bed.FailPods(t.Context(), namespace, testbed.FailImage, "received unexpected HTTP status: 502 Bad Gateway"); err != nil {
		t.Fatal(err)
	}
	admin := run.Admin(bed)
	running := run.Begin(t, admin, "install", "-n", namespace, "--timeout", forEver, "-o", "json")
	running.Says(t, "waiting for the registry: the image")
	allowNoPods(t, bed, namespace)
	admin.Kubectl(t, "delete", "pods", "--all", "-n", namespace).WantCode(t, 0)
	wantGivenUp(t, running.Ends(t), namespace, "Deployment ostoy-frontend", message{
		"will not become ready", "its pods cannot be made: exceeded quota: no-pods", "oc describe quota -n wait-quota",
	})
}

// allowNoPods sets a quota and waits until the API server counts with it.
func allowNoPods(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	quotas := bed.Client.CoreV1().ResourceQuotas(namespace)
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "no-pods"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}},
	}
	if _, err := quotas.Create(t.Context(), quota, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	run.Eventually(t, "quota", func(ctx context.Context) error {
		live, err := quotas.Get(ctx, "no-pods", metav1.GetOptions{})
		if err == nil && len(live.Status.Hard) == 0 {
			err = fmt.Errorf("not counted yet")
		}
		return err
	})
}

// TestPodsThatRunLater: what passes is shown and waited for.
func TestPodsThatRunLater(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "wait-registry"
	world.NewNamespace(t, bed, namespace)
	if err := bed.FailPods(t.Context(), namespace, testbed.FailImage, "received unexpected HTTP status: 502 Bad Gateway"); err != nil {
		t.Fatal(err)
	}
	admin := run.Admin(bed)
	running := run.Begin(t, admin, "install", "-n", namespace, "--timeout", forEver)
	running.Says(t, "waiting for the registry: the image")
	running.Says(t, "502 Bad Gateway")
	if err := bed.HealPods(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	admin.Kubectl(t, "delete", "pods", "--all", "-n", namespace).WantCode(t, 0)
	running.Ends(t).WantCode(t, done)
}

// TestUnschedulable: no node is as the pods must have it.
func TestUnschedulable(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "wait-node"
	world.NewNamespace(t, bed, namespace)
	selectNodes(t, bed, namespace, "example.com/gpu")
	wantHopeless(t, run.Admin(bed), namespace, "Deployment ostoy-frontend", message{
		"will not become ready", "no node takes its pod: 0/1 nodes are available", "oc describe pod … -n wait-node",
	})
}

// TestScaleUp: no node is as the pods must have it, and an autoscaler adds one.
func TestScaleUp(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "wait-scale"
	world.NewNamespace(t, bed, namespace)
	selectNodes(t, bed, namespace, "example.com/scaled")
	admin := run.Admin(bed)
	running := run.Begin(t, admin, "install", "-n", namespace, "--timeout", forEver)
	running.Says(t, "no node takes its pod: 0/1 nodes are available")
	pods, err := bed.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		event := &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{GenerateName: pod.Name + ".", Namespace: namespace},
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: pod.Name, UID: pod.UID},
			Reason:         "TriggeredScaleUp", Message: "pod triggered scale-up: [{workers 1->2 (max: 3)}]", Type: corev1.EventTypeNormal,
			LastTimestamp: metav1.Now(),
		}
		if _, err := bed.Client.CoreV1().Events(namespace).Create(t.Context(), event, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	running.Says(t, "waiting for a node that is being added (TriggeredScaleUp: pod triggered scale-up")
	patch := []byte(`{"metadata":{"labels":{"example.com/scaled":"yes"}}}`)
	nodes, err := bed.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range nodes.Items {
		if _, err := bed.Client.CoreV1().Nodes().Patch(t.Context(), node.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	running.Ends(t).WantCode(t, done)
}

// selectNodes has pods of a namespace ask for nodes with a label that none has.
func selectNodes(t *testing.T, bed *testbed.Bed, namespace, label string) {
	t.Helper()
	err := bed.Apply(t.Context(), fmt.Sprintf(`apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: select-%[1]s}
spec:
  failurePolicy: Fail
  reinvocationPolicy: Never
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  mutations:
  - patchType: JSONPatch
    jsonPatch: {expression: '[JSONPatch{op: "add", path: "/spec/nodeSelector", value: {"%[2]s": "yes"}}]'}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: select-%[1]s}
spec: {policyName: select-%[1]s}
`, namespace, label))
	if err != nil {
		t.Fatal(err)
	}
	no, yes := false, true
	probe := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "probe"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "probe", Image: "probe", SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: &no, RunAsNonRoot: &yes,
			Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		}}}},
	}
	run.Eventually(t, "policy", func(ctx context.Context) error {
		made, err := bed.Client.CoreV1().Pods(namespace).Create(ctx, probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil && len(made.Spec.NodeSelector) == 0 {
			err = fmt.Errorf("pods can be scheduled yet")
		}
		return err
	})
}
