package health

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Labels of a node, and of what a pod needs of one.
const (
	ArchLabel = "kubernetes.io/arch"
	OSLabel   = "kubernetes.io/os"
)

// otherImages is what to do about a container whose image is built for another
// architecture than its node has, or a pod for which there is no node.
func otherImages(pod *unstructured.Unstructured, in Around) string {
	if in.Install == nil {
		return describePod(pod) + " shows image and node: ask a cluster admin for a node that the image is built for"
	}
	return "the images of OSToy are built for linux/amd64: ask a cluster admin for such a node, or give images of your own and the label of their nodes: " +
		in.Install("--set", `nodeSelector.kubernetes\.io/arch=ARCHITECTURE`) + " (docs/checks/node-architecture.md)"
}

// wrongPlatform is the State of a container that cannot be started because its image is
// built for another architecture; its Text is empty for any other. The kernel says so as
// ENOEXEC, and every container runtime repeats it: when it starts the container, or as the
// container's last words.
func wrongPlatform(pod *unstructured.Unstructured, c map[string]any, in Around) State {
	said := func(path ...string) bool {
		text := strings.ToLower(Text(c, append(path, "message")...) + " " + Text(c, append(path, "reason")...))
		return strings.Contains(text, "exec format error")
	}
	if !said("state", "waiting") && !said("state", "terminated") && !said("lastState", "terminated") {
		return State{}
	}
	name := Text(c, "name")
	text := "the image of " + name + " is built for another architecture than its node has (exec format error)"
	if node := Text(pod.Object, "spec", "nodeName"); node != "" {
		text = "the image of " + name + " is built for another architecture than node " + node + " has (exec format error)"
	}
	return Failing(State{About: Platform, Code: "platform " + name, Text: text, Hint: otherImages(pod, in)})
}

// neededLabels are the labels of the node that a pod needs, for a message of the
// scheduler, which does not name them: "; it needs kubernetes.io/arch=amd64". "" if the
// message is about something else, or the pod needs none.
func neededLabels(pod *unstructured.Unstructured, message string) string {
	selector, _, _ := unstructured.NestedStringMap(pod.Object, "spec", "nodeSelector")
	if len(selector) == 0 || !strings.Contains(message, "node affinity/selector") && !strings.Contains(message, "node selector") {
		return ""
	}
	var labels []string
	for key, value := range selector {
		labels = append(labels, key+"="+value)
	}
	slices.Sort(labels)
	return "; it needs a node with " + strings.Join(labels, " and ")
}
