package controller

import (
	"errors"
	"strings"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// helms is a controller that Helm installed, with as many pods as asked for.
func helms(t *testing.T, replicas int32) ack.Controller {
	t.Helper()
	deployment := named(t, deploymentOf, "theirs")
	deployment.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "Helm"})
	c, is := ack.ControllerOf(deployment)
	if !is {
		t.Fatal("it is no controller")
	}
	c.Spec.Replicas = &replicas
	c.Status = apps.DeploymentStatus{UpdatedReplicas: 1, Replicas: 1}
	return c
}

// podIn is a pod of theirs whose container waits for a reason, made at noon.
func podIn(t *testing.T, reason, message string) []ack.Pod {
	t.Helper()
	pod := object(t, `{apiVersion: v1, kind: Pod, metadata: {name: theirs-1, namespace: ack-system, uid: p, labels: {app: theirs, pod-template-hash: x}, ownerReferences: [{kind: ReplicaSet, name: x, uid: u, controller: true}], creationTimestamp: "2026-01-02T12:00:00Z"}, spec: {containers: [{name: controller}]},
  status: {phase: Pending, conditions: [{type: Ready, status: "False", lastTransitionTime: "2026-01-02T12:00:00Z"}], containerStatuses: [{name: controller, ready: false, restartCount: 5, state: {waiting: {reason: `+reason+`, message: '`+message+`'}}}]}}`)
	pods, err := ack.PodsOf([]*unstructured.Unstructured{pod})
	if err != nil {
		t.Fatal(err)
	}
	return pods
}

// TestStarting: what keeps a controller from running is told with its cause, and is
// final when it has lasted, whoever looked meanwhile.
func TestStarting(t *testing.T) {
	const log = `{"level":"error","msg":"Unable to create controller manager","error":"invalid resource tag: rosa_cluster_ack"}`
	for name, c := range map[string]struct {
		replicas int32
		pods     []ack.Pod
		age      time.Duration
		level    health.Level
		says     string
	}{
		"scaled to 0":         {0, nil, 0, health.Fail, "it is scaled to 0"},
		"crashes, just now":   {1, podIn(t, "CrashLoopBackOff", ""), time.Second, health.Warn, "pod theirs-1 crashes: the resource tag rosa_cluster_ack"},
		"crashes for long":    {1, podIn(t, "CrashLoopBackOff", ""), time.Hour, health.Fail, "pod theirs-1 crashes: the resource tag rosa_cluster_ack"},
		"settings, just now":  {1, podIn(t, "CreateContainerConfigError", `configmap "ack-s3-user-config" not found`), time.Second, health.Warn, `configmap "ack-s3-user-config" not found`},
		"settings for long":   {1, podIn(t, "CreateContainerConfigError", `configmap "ack-s3-user-config" not found`), time.Hour, health.Fail, `configmap "ack-s3-user-config" not found`},
		"its image, for long": {1, podIn(t, "ImagePullBackOff", "no such tag"), time.Hour, health.Fail, "no such tag"},
		"it starts":           {1, podIn(t, "ContainerCreating", ""), time.Second, health.Info, ""},
	} {
		made := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		state := starting(helms(t, c.replicas), c.pods, made.Add(c.age), func(ack.Pod) string { return log })
		if state.Level != c.level || !strings.Contains(state.Text, c.says) || state.Level != health.Info && state.Hint == "" || state.Ready {
			t.Errorf("%s: %+v", name, state)
		}
	}
}

// TestStopped: a controller that runs is enough.
func TestStopped(t *testing.T) {
	idle, off, runs := helms(t, 1), helms(t, 0), helms(t, 1)
	runs.Status.AvailableReplicas = 1
	for name, c := range map[string]struct {
		all  []ack.Controller
		want bool
	}{
		"none": {nil, false}, "one that runs": {[]ack.Controller{idle, runs}, false},
		"one that does not": {[]ack.Controller{idle}, true}, "one is off": {[]ack.Controller{off, idle}, true},
	} {
		f := &Found{Namespace: "else", Controllers: live.Controllers{All: c.all, Proven: c.all}}
		got, is := f.stopped()
		if is != c.want || is && got.Replicas() != 1 {
			t.Errorf("%s: %t", name, is)
		}
	}
}

// TestNotStarted: only what is about the controller is called so.
func TestNotStarted(t *testing.T) {
	c := helms(t, 1)
	err := notStarted(c, &problem.Error{Kind: problem.NotReady, What: "Deployment theirs will not become ready", Why: "it crashes", Next: "oc logs"})
	wantProblem(t, err, problem.NotReady, "not managed by ostoy-s3", "deployment/theirs -n ack-system", "it crashes", "oc logs")
	other := errors.New("no")
	if err := notStarted(c, other); !errors.Is(err, other) {
		t.Error(err)
	}
	if err := notStarted(c, nil); err != nil {
		t.Error(err)
	}
}
