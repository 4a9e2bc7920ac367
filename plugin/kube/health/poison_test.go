package health

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
)

const (
	rollingHead = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ostoy-frontend, namespace: demo, generation: 1}
spec: {replicas: 1, selector: {matchLabels: {app: ostoy-frontend}}}
status:
  observedGeneration: 1
  updatedReplicas: 1
  replicas: 1
`
	emptyPod = `
apiVersion: v1
kind: Pod
metadata: {name: ostoy-frontend-1, namespace: demo, labels: {app: ostoy-frontend, pod-template-hash: abc}}
spec:
  volumes: [{name: aws-iam-token}]
  containers: [{name: ostoy-frontend, env: [{name: AWS_ROLE_ARN, value: "arn:aws:iam::123456789012:role/other"}]}]
`
	unroutedHead = `
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: ostoy-route, namespace: demo}
spec: {host: ostoy.apps.example.com}
`
)

// poisonable are objects in every state that has something to say.
func poisonable() map[string]string {
	deleting := strings.Replace(bucketHead, "uid: b1", "uid: b1\n  deletionTimestamp: \"2026-01-01T00:00:00Z\"", 1)
	all := map[string]string{
		"bucket, exists":      bucketHead + conds("ACK.Terminal=True|Resource already exists|x"),
		"bucket, policy":      bucketHead + conds("ACK.Terminal=True|unrecognized adoption policy|x"),
		"bucket, terminal":    bucketHead + conds("ACK.Terminal=True|anything|x"),
		"bucket, denied":      bucketHead + conds("ACK.Recoverable=True|AccessDenied|operation error S3: CreateBucket, https", notReady),
		"bucket, action":      bucketHead + conds("ACK.Recoverable=True|AccessDenied operation error S3: |x"),
		"bucket, unfinished":  bucketHead + conds("ACK.Recoverable=True|Reconciling to sync additional fields|x"),
		"bucket, recoverable": bucketHead + conds("ACK.Recoverable=True|SlowDown|x"),
		"bucket, region":      bucketHead + "status: {ackResourceMetadata: {region: us-west-2}}",
		"bucket, deleting":    deleting + conds("ACK.Recoverable=True|BucketNotEmpty|x"),
		"deployment, no pods": rollingHead + "  conditions: [{type: ReplicaFailure, status: \"True\", reason: x, message: \"pods is forbidden: exceeded quota\"}]",
		"deployment, stuck":   rollingHead + "  conditions: [{type: Progressing, status: \"False\", reason: ProgressDeadlineExceeded, message: x}]",
		"deployment, scc":     rollingHead + "  conditions: [{type: ReplicaFailure, status: \"True\", reason: x, message: unable to validate against any security context constraint}]",
		"volume, lost":        "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: ostoy-pvc, namespace: demo}, spec: {volumeName: pv-1, storageClassName: gp3}, status: {phase: Lost}}",
		"volume, made":        "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: ostoy-pvc, namespace: demo, annotations: {volume.kubernetes.io/selected-node: node-1}}, spec: {storageClassName: gp3}}",
		"volume, waiting":     "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: ostoy-pvc, namespace: demo}, spec: {storageClassName: gp3}}",
		"route, refused":      unroutedHead + "status: {ingress: [{host: h.example.com, conditions: [{type: Admitted, status: \"False\", reason: HostAlreadyClaimed, message: taken}]}]}",
		"route, not admitted": unroutedHead + "status: {ingress: [{host: h.example.com, conditions: [{type: Admitted, status: \"False\", reason: Other, message: taken}]}]}",
		"route, admitted":     unroutedHead + "status: {ingress: [{host: h.example.com, conditions: [{type: Admitted, status: \"True\"}]}]}",
		"ingress, host":       "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: demo}, spec: {rules: [{host: h.example.com}], tls: [{}]}}",
		"ingress, balancer":   "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: demo}, spec: {}, status: {loadBalancer: {ingress: [{hostname: lb.example.com}]}}}",
		"ingress, address":    "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: demo}, spec: {}, status: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}}",
		"pod, unschedulable":  emptyPod + "status: {conditions: [{type: PodScheduled, status: \"False\", reason: Unschedulable, message: no nodes}]}",
		"pod, waiter":         emptyPod + "status: {initContainerStatuses: [{name: wait-for-bucket, state: {running: {}}, lastState: {terminated: {exitCode: 1, finishedAt: \"2026-01-01T00:00:00Z\", message: AccessDenied from GetObject}}}]}",
		"pod, denied":         emptyPod + "status: {initContainerStatuses: [{name: wait-for-bucket, state: {terminated: {exitCode: 1, finishedAt: \"2026-01-01T00:00:00Z\", message: \"not authorized to perform: s3:X on resource: y with an explicit deny in a permissions boundary\"}}}]}",
		"pod, ended":          emptyPod + "status: {containerStatuses: [{name: ostoy-frontend, state: {terminated: {exitCode: 1, reason: OOMKilled}}}]}",
	}
	for _, reason := range []string{"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "RunContainerError", "CrashLoopBackOff", "ContainerCreating", "Unheard"} {
		all["pod, "+reason] = emptyPod + "status: {containerStatuses: [{name: ostoy-frontend, image: quay.io/a/b:1, restartCount: 2, state: {waiting: {reason: " + reason +
			", message: something}}, lastState: {terminated: {exitCode: 1, reason: Error, message: said}}}]}"
	}
	return all
}

// stateOf judges an object of any kind.
func stateOf(obj *unstructured.Unstructured) State {
	switch obj.GetKind() {
	case "Bucket":
		return Bucket(obj, nil, false, Around{})
	case "Deployment":
		return Deployment(obj, nil, Around{})
	case "Pod":
		return Pod(obj, Around{})
	case "Route":
		return Route(obj)
	case "Ingress":
		return Ingress(obj)
	default:
		return Volume(obj, nil, Around{})
	}
}

// TestF2States: whatever a project's editor, a controller or a container wrote into any
// field, the sentences about the object are one line each, and it is quoted in advice.
func TestF2States(t *testing.T) {
	for name, text := range poisonable() {
		// The namespace is what the user asked about, and of a form that is checked then.
		given := func(path string) bool {
			return path == ".kind" || path == ".apiVersion" || path == ".metadata.namespace"
		}
		advicetest.Each(parse(t, text).Object, given, func(path string, poisoned any) {
			obj := &unstructured.Unstructured{Object: poisoned.(map[string]any)}
			states := []State{stateOf(obj), {Text: MissingIdentity(obj, "arn:aws:iam::123456789012:role/ours")}}
			if obj.GetKind() == "Bucket" {
				states = append(states, Stale(obj, ""), State{Hint: Release(obj)})
			}
			if obj.GetKind() == "Pod" {
				deployment := parse(t, rollingHead)
				states = append(states, Deployment(deployment, []*unstructured.Unstructured{obj}, Around{BucketReady: true}))
			}
			for n := 0; n < len(states); n++ {
				if states[n].Late != nil {
					states = append(states, *states[n].Late)
				}
				wantSafe(t, name+path, states[n])
			}
		})
	}
}

func wantSafe(t *testing.T, where string, s State) {
	t.Helper()
	if complaint := advicetest.Sentence(s.Text); complaint != "" || strings.Contains(s.Text, "\n") {
		t.Errorf("%s: %s: %q", where, complaint, s.Text)
	}
	if complaint := advicetest.Advice(s.Hint); complaint != "" {
		t.Errorf("%s: %s: %q", where, complaint, s.Hint)
	}
	if strings.Contains(s.URL, advicetest.Mark) {
		t.Errorf("%s: an address that is not one: %q", where, s.URL)
	}
}

// TestF2Addresses: a host is repeated only if it is one.
func TestF2Addresses(t *testing.T) {
	for host, want := range map[string]string{
		"a.example.com": "http://a.example.com", "10.0.0.1": "http://10.0.0.1", "fd00::1": "http://[fd00::1]",
		"a b": "", "a.example.com/$(id)": "", "fe80::1%eth0": "", "evil@a.example.com": "",
	} {
		s := addressed("admitted", "http://", host)
		if s.URL != want || want == "" && s.Text != "admitted, at (a value that is not a host name)" {
			t.Errorf("%s: %+v", host, s)
		}
	}
}

// TestF2Action: the name of an operation is letters, whatever the controller quotes.
func TestF2Action(t *testing.T) {
	for _, text := range []string{"operation error S3: $(id), https", "operation error S3: x;id, https", "operation error S3: a\nb, https"} {
		if got := MissingAction(text); got != "" {
			t.Errorf("%q: %q", text, got)
		}
	}
}
