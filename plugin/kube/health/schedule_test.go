package health

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestNoneFits has sentences of kube-scheduler: only where every node is of another kind
// than the pod asks for it is of no use to wait.
func TestNoneFits(t *testing.T) {
	for message, want := range map[string]bool{
		"0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.":                                     false,
		"0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.":        true,
		"0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 1 No preemption victims found.": false,
		"0/3 nodes are available: 1 node(s) had untolerated taint {dedicated: gpu}, 2 node(s) didn't match Pod's node affinity/selector.":                                       true,
		"0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }, 2 node(s) didn't match Pod's node affinity/selector.":                       false,
		"0/3 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/master: }. preemption: 0/3 nodes are available: 3 Preemption is not helpful.":        false,
		"0/3 nodes are available: 3 node(s) had untolerated taint {node.cloudprovider.kubernetes.io/uninitialized: true}.":                                                      false,
		"0/2 nodes are available: 2 node(s) had volume node affinity conflict.":                                                                                                 true,
		"0/2 nodes are available: 2 node(s) were unschedulable.":                                                                                                                false,
		"0/2 nodes are available: 2 node(s) exceed max volume count.":                                                                                                           false,
		"0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found":                                                                                  false,
		`0/2 nodes are available: persistentvolumeclaim "ostoy-pvc" not found.`:                                                                                                 false,
		"no nodes available to schedule pods": false,
		"0/0 nodes are available: .":          false,
		"":                                    false,
	} {
		if got := noneFits(message); got != want {
			t.Errorf("%q: %t", message, got)
		}
	}
}

// TestUnscheduled: an autoscaler that adds a node is waited for, whatever the nodes of
// today are.
func TestUnscheduled(t *testing.T) {
	const (
		full   = "0/3 nodes are available: 3 Insufficient cpu."
		others = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
	)
	up := Event{Reason: "TriggeredScaleUp", Message: "pod triggered scale-up: [{workers 1->2 (max: 3)}]"}
	nominated := Event{Reason: "Nominated", Message: "Pod should schedule on: nodeclaim/default-x"}
	not := Event{Reason: "NotTriggerScaleUp", Message: "pod didn't trigger scale-up: 1 max node group size reached"}
	failed := Event{Reason: "FailedScheduling", Message: full, Warning: true}
	for name, c := range map[string]struct {
		message string
		events  []Event
		known   bool
		end     Level
		says    string
	}{
		"room may come":           {full, nil, true, Warn, "no node takes its pod: " + full},
		"a node is added":         {full, []Event{failed, up}, true, Warn, "waiting for a node that is being added (TriggeredScaleUp: pod triggered scale-up"},
		"by Karpenter":            {full, []Event{nominated}, true, Warn, "waiting for a node that is being added (Nominated: Pod should schedule on"},
		"no more nodes":           {full, []Event{not, up}, true, Warn, "the autoscaler adds no node: pod didn't trigger scale-up: 1 max"},
		"none fits":               {others, []Event{failed}, true, Fail, others},
		"none fits, nor is added": {others, []Event{not}, true, Fail, "the autoscaler adds no node"},
		"one that fits is added":  {others, []Event{up, not}, true, Warn, "waiting for a node that is being added"},
		"events may not be read":  {others, nil, false, Warn, others},
	} {
		pod := podWith(t, "  phase: Pending")
		s := unscheduled(pod, c.message, Around{Events: func(*unstructured.Unstructured) ([]Event, bool) { return c.events, c.known }})
		if end := s.Settled(); s.Level != Warn || end.Level != c.end || !strings.Contains(s.Text, c.says) || s.Hint == "" || end.Hint == "" {
			t.Errorf("%s: %+v, then %+v", name, s, end)
		}
	}
}

// TestUnscheduledForItsVolume: no node helps a pod that waits for its volume.
func TestUnscheduledForItsVolume(t *testing.T) {
	s := unscheduled(podWith(t, "  phase: Pending"), "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found", Around{})
	if s.Settled().Level != Warn || !strings.Contains(s.Hint, "oc describe pvc -n demo") || strings.Contains(s.Hint, "a node is added") {
		t.Errorf("%+v", s)
	}
}

// TestProgressDeadline: a Deployment's deadline does not end the wait for what passes.
func TestProgressDeadline(t *testing.T) {
	const over = "status: {observedGeneration: 2, replicas: 1, updatedReplicas: 1, conditions: [{type: Progressing, status: \"False\", reason: ProgressDeadlineExceeded}]}"
	for said, want := range map[string]Level{"502 Bad Gateway": Warn, "manifest unknown": Fail} {
		pod := podWith(t, `  containerStatuses: [{name: ostoy-frontend, image: "q.io/x:1", state: {waiting: {reason: ErrImagePull, message: `+said+`}}}]`)
		s := Deployment(parse(t, deploymentHead+over), []*unstructured.Unstructured{pod}, Around{})
		if s.Level != want || !strings.Contains(s.Text, said) {
			t.Errorf("%s: %+v", said, s)
		}
	}
}
