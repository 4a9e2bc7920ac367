package health

import (
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// unscheduled judges a pod that no node takes. Most reasons pass: pods of others end,
// nodes become ready, and where an autoscaler works it adds one in a few minutes. What
// does not pass is that every node is of another kind than the pod asks for, unless an
// autoscaler is about to add one.
func unscheduled(pod *unstructured.Unstructured, message string, in Around) State {
	events, known := in.about(pod)
	s := State{
		Level: Warn,
		Text:  "no node takes its pod: " + plain.Said(message) + neededLabels(pod, message),
		Code:  "unschedulable",
		Hint:  describePod(pod) + "; it is scheduled when a node has room for it: other pods end, or a node is added",
	}
	if strings.Contains(strings.ToLower(message), "persistentvolumeclaim") {
		s.Hint = describePod(pod) + "; it is scheduled when its volume exists: " + advice.Command("oc describe pvc", "-n", pod.GetNamespace())
	}
	scaling, added := scaleUp(events)
	switch {
	case added:
		s.Text = "waiting for a node that is being added (" + plain.Said(scaling.Reason+": "+scaling.Message) + "); until then " + s.Text
		s.Code += ", scaling"
	case Text(pod.Object, "status", "nominatedNodeName") != "":
		s.Text = "waiting for room on node " + Text(pod.Object, "status", "nominatedNodeName") + ": " + s.Text
	case scaling.Reason != "":
		s.Text += "; the autoscaler adds no node: " + plain.Said(scaling.Message)
	}
	if added || !known || !noneFits(message) {
		return s
	}
	s.Code += ": " + message
	s.Hint = describePod(pod) + "; no node is of the kind that the pod asks for: look at nodeSelector, affinity and tolerations, and at the labels and taints of the nodes"
	if neededLabels(pod, message) != "" {
		s.Hint += "\n" + otherImages(pod, in)
	}
	return Graced(s, noNodeGrace)
}

// scaleUp is the last word of an autoscaler about a pod, and whether it adds a node:
// "TriggeredScaleUp" and "NotTriggerScaleUp" are of the Kubernetes cluster autoscaler
// (processors/status/eventing_scale_up_processor.go), "Nominated" is of Karpenter and of
// EKS Auto Mode (pkg/events of kubernetes-sigs/karpenter).
func scaleUp(events []Event) (last Event, added bool) {
	for _, event := range events {
		switch event.Reason {
		case "TriggeredScaleUp", "Nominated":
			return event, true
		case "NotTriggerScaleUp":
			return event, false
		}
	}
	return Event{}, false
}

// noneFits reports whether the scheduler says of every node that it is of another kind
// than the pod asks for. Its sentence counts nodes by reason:
//
//	0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector. preemption: ...
func noneFits(message string) bool {
	all := regexp.MustCompile(`^0/(\d+) nodes are available: (.*)`).FindStringSubmatch(message)
	if all == nil {
		return false
	}
	nodes, _ := strconv.Atoi(all[1])
	reasons, _, _ := strings.Cut(all[2], " preemption:")
	starts := regexp.MustCompile(`(?:^|, )(\d+) `).FindAllStringSubmatchIndex(reasons, -1)
	unfit := 0
	for i, at := range starts {
		end := len(reasons)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		if count, _ := strconv.Atoi(reasons[at[2]:at[3]]); otherKind(reasons[at[1]:end]) {
			unfit += count
		}
	}
	return nodes > 0 && unfit >= nodes
}

// otherKind reports whether one of the scheduler's reasons (the ErrReason constants of
// pkg/scheduler/framework/plugins) is about what a node is, and not about how it is now.
// Taints that Kubernetes, a cloud or an autoscaler put on a node that starts or ends are
// taken off again; where all nodes are of the control plane, the workers have not joined.
func otherKind(reason string) bool {
	switch {
	case strings.Contains(reason, "untolerated taint"):
		return !regexp.MustCompile(`node\.kubernetes\.io/|node-role\.kubernetes\.io/(master|control-plane)|cloudprovider|[Aa]utoscaler|karpenter|not-?ready|uninitialized|startup`).MatchString(reason)
	case strings.Contains(reason, "didn't match Pod's node affinity"), strings.Contains(reason, "didn't match node selector"), strings.Contains(reason, "node affinity conflict"):
		return true
	}
	return false
}

// Event is what somebody reported about an object.
type Event struct {
	Reason, Message string
	Warning         bool
}

// about are the events about an object, the newest first; known is false if they cannot
// be read.
func (in Around) about(object *unstructured.Unstructured) (events []Event, known bool) {
	if in.Events == nil {
		return nil, true
	}
	return in.Events(object)
}

// preparing are the reasons of kubelet and of the controllers for volumes why a pod that
// has a node is not started.
func preparing(events []Event) (Event, bool) {
	for _, event := range events {
		switch event.Reason {
		case "FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "NetworkNotReady", "FailedPreStartHook":
			return event, true
		}
	}
	return Event{}, false
}
