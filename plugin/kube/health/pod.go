package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// BucketWaiter is the init container that waits for the bucket: OSToy looks
// for it once, when it starts.
const BucketWaiter = "wait-for-bucket"

// Around is what else must be known to judge a pod, a Bucket or a volume.
type Around struct {
	BucketReady bool
	// GaveUpBefore tells whether a give-up of wait-for-bucket at this time is
	// older than the wait.
	GaveUpBefore func(pod *unstructured.Unstructured, finished string) bool
	// Pulled is the last error of pulling a container's image that was seen.
	Pulled func(pod *unstructured.Unstructured, container string) string
	// Events are those about an object, the newest first; false if they cannot be read.
	Events func(*unstructured.Unstructured) ([]Event, bool)
	// Install says how the app gets what install makes, with flags of install: that depends
	// on who manages it. Nil for objects that are not the app's.
	Install func(flags ...string) string
	// Role says how the app's role is restored; nil: by Install.
	Role func() string
}

// restoreRole says how the app's role is restored; "" if the pods are not the app's.
func (in Around) restoreRole() string {
	switch {
	case in.Role != nil:
		return in.Role()
	case in.Install != nil:
		return in.Install()
	}
	return ""
}

// worstPod is the State of the pod that has most to say; its Text is empty if
// none has.
func worstPod(pods []*unstructured.Unstructured, in Around) State {
	var worst State
	for _, pod := range pods {
		s := Pod(pod, in)
		if s.Text != "" && (worst.Text == "" || s.Level > worst.Level) {
			worst = s
		}
	}
	return worst
}

// Pod says what a pod that is not ready is doing.
func Pod(pod *unstructured.Unstructured, in Around) State { return judgePod(pod, in).plainly() }

func judgePod(pod *unstructured.Unstructured, in Around) State {
	if c, _ := find(Conditions(pod), "PodScheduled"); c.status == "False" && c.reason == "Unschedulable" {
		return unscheduled(pod, c.message, in)
	}
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		for _, c := range Maps(pod.Object, "status", list) {
			if s := wrongPlatform(pod, c, in); s.Text != "" && c["ready"] != true {
				return s
			}
		}
	}
	for _, c := range Maps(pod.Object, "status", "initContainerStatuses") {
		s := containerState(pod, c, in, true)
		if Text(c, "name") == BucketWaiter {
			s = bucketWaiterState(pod, c, in)
		}
		if s.Text != "" {
			return s
		}
	}
	for _, c := range Maps(pod.Object, "status", "containerStatuses") {
		if s := containerState(pod, c, in, false); s.Text != "" {
			return s
		}
	}
	return State{}
}

// containerState says what keeps a container from running; empty if it runs
// or, for an init container, is done.
func containerState(pod *unstructured.Unstructured, c map[string]any, in Around, init bool) State {
	name := Text(c, "name")
	state, _, _ := unstructured.NestedMap(c, "state")
	if reason := Text(state, "waiting", "reason"); reason != "" {
		return waitingState(pod, c, in, reason, Text(state, "waiting", "message"))
	}
	if _, ended := state["terminated"]; ended {
		if init && Number(state, "terminated", "exitCode") == 0 {
			return State{}
		}
		return State{Level: Warn, Code: "ended " + name, Text: name + " ended: " + ending(state), Hint: logsOf(pod, name)}
	}
	if _, running := state["running"]; running && (init || c["ready"] != true) {
		return State{Text: name + " is starting"}
	}
	return State{}
}

// waitingState judges the reason kubelet gives for a container that waits.
func waitingState(pod *unstructured.Unstructured, c map[string]any, in Around, reason, message string) State {
	name, image := Text(c, "name"), Text(c, "image")
	describe := describePod(pod)
	switch reason {
	case "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed":
		return pullState(pod, c, in)
	case "InvalidImageName":
		return Failing(State{About: Image, Text: "the image name " + image + " is not valid", Hint: "set another one with --set or -f"})
	case "ErrImageNeverPull":
		return Graced(State{About: Image, Text: "the image " + image + " may not be pulled: " + message, Hint: "set another pull policy with --set or -f"}, imageGrace)
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		return startState(pod, c, reason, message)
	case "CrashLoopBackOff":
		return crashState(pod, c)
	case "PodInitializing", "ContainerCreating":
		return creating(pod, in)
	}
	return State{Level: Warn, Text: strings.TrimSuffix(name+": "+reason+": "+message, ": "), Hint: describe}
}

// creating is the State of a pod that has a node and is not started yet.
func creating(pod *unstructured.Unstructured, in Around) State {
	late := State{Level: Warn, Text: "its pod is not started yet", Hint: describePod(pod) + " shows what it waits for, most often a volume"}
	events, _ := in.about(pod)
	if event, ok := preparing(events); ok {
		late.Text += ": " + plain.Said(event.Reason+": "+event.Message)
	}
	return State{Text: "starting its pod", Code: "creating", After: startGrace, Late: &late}
}

// crashState: one crash may be bad luck, kubelet starts it again.
func crashState(pod *unstructured.Unstructured, c map[string]any) State {
	name := Text(c, "name")
	last, _, _ := unstructured.NestedMap(c, "lastState")
	s := State{
		Level: Warn,
		Code:  "crash " + name,
		Text:  fmt.Sprintf("%s crashed %d times: %s", name, Number(c, "restartCount"), ending(last)),
		Hint:  logsOf(pod, name, "--previous"),
	}
	if Number(c, "restartCount") > 1 {
		return Failing(s)
	}
	return s
}

// ending is how a container ended: its own last words, or exit code and reason.
func ending(state map[string]any) string {
	if m := plain.Said(Text(state, "terminated", "message")); m != "" {
		return m
	}
	text := fmt.Sprintf("exit code %d", Number(state, "terminated", "exitCode"))
	if r := Text(state, "terminated", "reason"); r != "" && r != "Error" {
		text += ", " + r
	}
	return text
}

// bucketWaiterState judges wait-for-bucket. It tries for a minute, then
// writes "CODE from STEP: ..." as its termination message and exits 1; kubelet
// starts it again. NotFound heals when the bucket comes; anything else has
// already been given the time that IAM needs.
func bucketWaiterState(pod *unstructured.Unstructured, c map[string]any, in Around) State {
	state, _, _ := unstructured.NestedMap(c, "state")
	finished, ended := GaveUpAt(c)
	old := in.GaveUpBefore != nil && in.GaveUpBefore(pod, finished)
	_, running := state["running"]
	switch {
	case finished != "":
		return gaveUp(pod, ended, old, running, in)
	case running && in.BucketReady:
		late := State{Level: Warn, Text: BucketWaiter + ": the bucket is there, but not yet for this pod: IAM is still spreading the new role"}
		return State{Text: BucketWaiter + ": looking for the bucket", Code: "looking, it is there", After: 5 * time.Second, Late: &late}
	case running:
		return State{Text: BucketWaiter + ": looking for the bucket"}
	}
	return containerState(pod, c, in, true)
}

// GaveUpAt is when a container last ended in failure, empty if it never did,
// and the state that tells how.
func GaveUpAt(c map[string]any) (finished string, ended map[string]any) {
	ended, _, _ = unstructured.NestedMap(c, "state")
	if _, now := ended["terminated"]; !now {
		ended, _, _ = unstructured.NestedMap(c, "lastState")
	}
	if Number(ended, "terminated", "exitCode") != 0 {
		finished = Text(ended, "terminated", "finishedAt")
	}
	return finished, ended
}

func gaveUp(pod *unstructured.Unstructured, ended map[string]any, old, running bool, in Around) State {
	text, said := ending(ended), Text(ended, "terminated", "message")
	s := State{
		About: BucketWait,
		Level: Warn,
		Text:  BucketWaiter + ": " + text,
		Hint:  logsOf(pod, BucketWaiter, "--previous"),
	}
	if restore := in.restoreRole(); restore != "" {
		s.Hint = "to restore role and trust policy: " + restore
	}
	if awserr.StaysIn(said) {
		s.Hint = awserr.DecidedIn(said, "the role").Next
	}
	switch notFound := strings.HasPrefix(text, "NotFound") || strings.HasPrefix(text, "NoSuchBucket"); {
	case old && running:
		s.Text = BucketWaiter + ": looking again; last time: " + text
	case old:
		s.Text = BucketWaiter + ": gave up before this run and is about to look again; it said: " + text
	case notFound && in.BucketReady:
		s.Code = "not found, but there"
		return Graced(s, spreadGrace)
	case !notFound:
		return Failing(s)
	}
	return s
}

func describePod(pod *unstructured.Unstructured) string {
	return advice.Command("oc describe pod", pod.GetName(), "-n", pod.GetNamespace())
}

func logsOf(pod *unstructured.Unstructured, container string, flags ...string) string {
	return advice.Command("oc logs", append([]string{pod.GetName(), "-c", container, "-n", pod.GetNamespace()}, flags...)...)
}

// What a pod with an AWS identity has, by its own template or by the pod identity
// webhook (pkg/handler/handler.go of aws/amazon-eks-pod-identity-webhook).
const (
	roleVariable = "AWS_ROLE_ARN"
	tokenVolume  = "aws-iam-token"
)

// MissingIdentity says what of its AWS identity a pod lacks; empty if nothing. An
// empty roleARN accepts any.
func MissingIdentity(pod *unstructured.Unstructured, roleARN string) string {
	isToken := func(volume map[string]any) bool { return Text(volume, "name") == tokenVolume }
	if !slices.ContainsFunc(Maps(pod.Object, "spec", "volumes"), isToken) {
		return "no volume " + tokenVolume
	}
	for _, list := range []string{"initContainers", "containers"} {
		for _, c := range Maps(pod.Object, "spec", list) {
			switch role := roleIn(c); {
			case role == "":
				return "no " + roleVariable + " in " + plain.Line(Text(c, "name"))
			case roleARN != "" && role != roleARN:
				return roleVariable + " in " + plain.Line(Text(c, "name")) + " is " + advice.RoleARN(role).String()
			}
		}
	}
	return ""
}

// RoleOf is the role that a pod's containers are told to assume, "" for none.
func RoleOf(pod *unstructured.Unstructured) string {
	var role string
	for _, c := range Maps(pod.Object, "spec", "containers") {
		role = cmp.Or(role, roleIn(c))
	}
	return role
}

// roleIn is the role that one container is told to assume, "" for none.
func roleIn(container map[string]any) (role string) {
	for _, e := range Maps(container, "env") {
		if Text(e, "name") == roleVariable {
			role = Text(e, "value")
		}
	}
	return role
}

// PodReady reports whether a pod says of itself that it is ready.
func PodReady(pod *unstructured.Unstructured) bool {
	c, _ := find(Conditions(pod), "Ready")
	return c.status == "True"
}
