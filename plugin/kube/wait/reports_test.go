package wait

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// reported is an Event about an object.
func reported(t *testing.T, name, kind, of, uid, reason, message, at string) *unstructured.Unstructured {
	event := parse(t, "apiVersion: v1\nkind: Event\nmetadata: {name: "+name+", namespace: demo}\ntype: Warning\nlastTimestamp: \""+at+"\"\nreason: "+reason+
		"\ninvolvedObject: {kind: "+kind+", name: "+of+", uid: "+uid+"}")
	event.Object["message"] = message
	return event
}

// pulling is a pod whose image is not pulled.
func pulling(t *testing.T, reason, message string) *unstructured.Unstructured {
	return podWith(t, `  containerStatuses: [{name: ostoy-frontend, image: "q.io/x:1", state: {waiting: {reason: `+reason+`, message: '`+message+`'}}}]`)
}

func unschedulable(t *testing.T, message string) *unstructured.Unstructured {
	return podWith(t, `  conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "`+message+`"}]`)
}

const (
	fullNodes  = "0/3 nodes are available: 3 Insufficient cpu."
	otherNodes = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
	pause      = `Back-off pulling image "q.io/x:1"`
)

// TestWhatPassesIsWaitedFor: what can heal is shown, and waited for until it does.
func TestWhatPassesIsWaitedFor(t *testing.T) {
	scaling := reported(t, "e1", "Pod", "ostoy-frontend-abc-1", "p1", "TriggeredScaleUp", "pod triggered scale-up: [{workers 1->2}]", "2026-01-01T00:00:05Z")
	for name, c := range map[string]struct {
		script []*unstructured.Unstructured // 20 s each
		says   string
	}{
		"registry": {[]*unstructured.Unstructured{
			pulling(t, "ErrImagePull", "received unexpected HTTP status: 502 Bad Gateway"), pulling(t, "ImagePullBackOff", pause),
			pulling(t, "ErrImagePull", "toomanyrequests: too many"), pulling(t, "ImagePullBackOff", pause),
		}, "the registry limits the number of pulls"},
		"no reason yet": {[]*unstructured.Unstructured{pulling(t, "ImagePullBackOff", pause), pulling(t, "ImagePullBackOff", pause), pulling(t, "ImagePullBackOff", pause)}, "cannot be pulled"},
		"room":          {[]*unstructured.Unstructured{unschedulable(t, fullNodes), unschedulable(t, fullNodes), unschedulable(t, fullNodes), unschedulable(t, fullNodes)}, "Insufficient cpu"},
		"scale-up": {[]*unstructured.Unstructured{
			unschedulable(t, otherNodes), scaling, unschedulable(t, otherNodes), unschedulable(t, otherNodes), unschedulable(t, otherNodes), unschedulable(t, otherNodes),
		}, "waiting for a node that is being added (TriggeredScaleUp: pod triggered scale-up: [{workers 1->2}])"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling))
				b.start(testTargets(), time.Hour)
				for _, object := range c.script {
					b.set(object)
					time.Sleep(20 * time.Second)
					if b.over() {
						t.Fatalf("ended: %v", b.err)
					}
				}
				if told := strings.Join(b.texts("ostoy-frontend"), "|"); !strings.Contains(told, c.says) {
					t.Errorf("told %q", told)
				}
				b.set(parse(t, deploymentHead+available))
				if err := b.end(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestWhatCannotPassEndsTheWait: the reason is that of the last try, also where kubelet
// pauses and repeats none.
func TestWhatCannotPassEndsTheWait(t *testing.T) {
	const unknown = "reading manifest 1 in q.io/x: manifest unknown"
	for name, script := range map[string][]*unstructured.Unstructured{
		"seen":     {pulling(t, "ErrImagePull", unknown), pulling(t, "ImagePullBackOff", pause)},
		"repeated": {pulling(t, "ImagePullBackOff", pause+": ErrImagePull: "+unknown)},
		"reported": {
			reported(t, "e2", "Pod", "ostoy-frontend-abc-1", "p1", "Failed", `Failed to pull image "q.io/x:1": `+unknown, "2026-01-01T00:00:09Z"),
			reported(t, "e1", "Pod", "ostoy-frontend-abc-1", "p1", "Failed", `Failed to pull image "q.io/x:1": 502 Bad Gateway`, "2026-01-01T00:00:05Z"),
			reported(t, "e3", "Pod", "ostoy-frontend-abc-1", "p0", "Failed", `Failed to pull image "q.io/x:1": 503 Service Unavailable`, "2026-01-01T00:00:11Z"),
			pulling(t, "ImagePullBackOff", pause),
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling))
				b.start(testTargets(), time.Hour)
				for _, object := range script {
					b.set(object)
					time.Sleep(time.Second)
				}
				began := time.Now()
				var told *problem.Error
				if err := b.end(); !errors.As(err, &told) || told.Kind != problem.NotReady || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(told.Why, unknown) {
					t.Errorf("%v", err)
				}
				if took := time.Since(began); took > 15*time.Second {
					t.Errorf("ended after %s", took)
				}
			})
		})
	}
}

// TestWithoutEvents: a user who may not watch events waits, because an autoscaler may be
// at work that cannot be seen.
func TestWithoutEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling), unschedulable(t, otherNodes))
		b.client.PrependReactor("list", kinds.Event.GVR().Resource, func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "events"}, "", errors.New("no"))
		})
		b.start(testTargets(), 10*time.Minute)
		time.Sleep(9 * time.Minute)
		if b.over() {
			t.Fatalf("ended: %v", b.err)
		}
		if err := b.end(); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// TestVolumeIsExplained: what is reported about the claim is shown while it is waited for,
// and forgotten when there is a volume.
func TestVolumeIsExplained(t *testing.T) {
	claim := func(phase string) *unstructured.Unstructured {
		return parse(t, "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: ostoy-pvc, namespace: demo, uid: v1, annotations: {volume.kubernetes.io/selected-node: worker-0, volume.kubernetes.io/storage-provisioner: ebs.csi.aws.com}}\nspec: {storageClassName: gp3}\nstatus: {phase: "+phase+"}")
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, readyBucket(t), claim("Pending"), admittedRoute(t), parse(t, deploymentHead+available))
		b.start(testTargets(), time.Hour)
		time.Sleep(time.Minute)
		if told := strings.Join(b.texts("ostoy-pvc"), "|"); told != "being made on worker-0|no volume after 30s: waiting for the provisioner ebs.csi.aws.com: is it installed, and does it run?" {
			t.Errorf("told %q", told)
		}
		b.set(reported(t, "e1", "PersistentVolumeClaim", "ostoy-pvc", "v1", "ProvisioningFailed", "rpc error: no space", "2026-01-01T00:00:05Z"))
		time.Sleep(2 * time.Second)
		if told := strings.Join(b.texts("ostoy-pvc"), "|"); !strings.HasSuffix(told, "|no volume yet: ProvisioningFailed: rpc error: no space") || b.over() {
			t.Errorf("told %q", told)
		}
		b.set(claim("Bound"))
		if err := b.end(); err != nil {
			t.Error(err)
		}
	})
}
