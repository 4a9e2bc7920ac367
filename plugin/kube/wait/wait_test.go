package wait

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// bench is one Wait over a fake API server, in a bubble of synthetic time.
type bench struct {
	t      *testing.T
	client *fake.FakeDynamicClient
	// through is what Wait asks; the fake itself, unless a test puts one before it.
	through dynamic.Interface
	cancel  context.CancelFunc
	done    chan struct{}
	result  Result
	err     error

	mu   sync.Mutex
	told []State
}

func testTargets() Targets {
	return Targets{Namespace: "demo", Bucket: "demo-bucket", Deployments: []string{"ostoy-frontend"}, PVC: "ostoy-pvc", Route: "ostoy-route"}
}

func newBench(t *testing.T, objects ...*unstructured.Unstructured) *bench {
	lists := map[schema.GroupVersionResource]string{}
	for _, kind := range []kinds.Kind{kinds.Bucket, kinds.Deployment, kinds.PersistentVolumeClaim, kinds.Route, kinds.Ingress, kinds.Pod, kinds.ConfigMap, kinds.Event} {
		lists[kind.GVR()] = kind.String() + "List"
	}
	var initial []runtime.Object
	for _, o := range objects {
		initial = append(initial, o)
	}
	b := &bench{t: t, done: make(chan struct{})}
	b.client = fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists, initial...)
	b.through = b.client
	return b
}

func (b *bench) start(targets Targets, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(b.t.Context(), timeout)
	b.cancel = cancel
	go func() {
		defer close(b.done)
		b.result, b.err = Wait(ctx, b.through, targets, func(s State) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.told = append(b.told, s)
		})
	}()
	synctest.Wait()
}

func (b *bench) end() error {
	<-b.done
	b.cancel()
	return b.err
}

func (b *bench) over() bool {
	synctest.Wait()
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// texts are what was told of one object.
func (b *bench) texts(name string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, s := range b.told {
		if s.Name == name {
			out = append(out, s.Text)
		}
	}
	return out
}

func (b *bench) set(obj *unstructured.Unstructured) {
	b.t.Helper()
	resource, _ := meta.UnsafeGuessKindToResource(obj.GroupVersionKind())
	c := b.client.Resource(resource).Namespace(obj.GetNamespace())
	_, err := c.Update(b.t.Context(), obj, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		_, err = c.Create(b.t.Context(), obj, metav1.CreateOptions{})
	}
	if err != nil {
		b.t.Error(err)
	}
	synctest.Wait()
}

const (
	available = "status: {observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1}"
	rolling   = "status: {observedGeneration: 2, replicas: 1, updatedReplicas: 1}"
)

func readyBucket(t *testing.T) *unstructured.Unstructured {
	return bucketWith(t, conds("Ready=True|ok|"))
}

func boundVolume(t *testing.T) *unstructured.Unstructured {
	return parse(t, "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: ostoy-pvc, namespace: demo}\nstatus: {phase: Bound}")
}

func admittedRoute(t *testing.T) *unstructured.Unstructured {
	return parse(t, "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: ostoy-route, namespace: demo}\nspec: {host: o.example.com}\nstatus: {ingress: [{conditions: [{type: Admitted, status: \"True\"}]}]}")
}

func TestAllReadyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+available))
		began := time.Now()
		b.start(testTargets(), time.Minute)
		if err := b.end(); err != nil {
			t.Fatal(err)
		}
		if time.Since(began) > 0 || b.result.URL != "http://o.example.com" || len(b.result.States) != 4 {
			t.Errorf("%s %+v", time.Since(began), b.result)
		}
	})
}

func TestEachChangeIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, bucketWith(t, ""), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling))
		b.start(testTargets(), 10*time.Minute)
		time.Sleep(3 * time.Second)
		b.set(bucketWith(t, conds("ACK.ResourceSynced=False|bucket created, requeue for updates|", "Ready=False||")))
		b.set(bucketWith(t, conds("ACK.ResourceSynced=False|something else|", "Ready=False||")))
		b.set(readyBucket(t))
		if b.over() {
			t.Fatal("did not wait for the deployment")
		}
		b.set(parse(t, deploymentHead+available))
		if err := b.end(); err != nil {
			t.Fatal(err)
		}
		want := "waiting for the ACK controller|being made by the ACK controller|synced"
		if got := strings.Join(b.texts("demo-bucket"), "|"); got != want {
			t.Errorf("%s", got)
		}
		if got := strings.Join(b.texts("ostoy-frontend"), "|"); got != "0 of 1 available|1 of 1 available" {
			t.Errorf("%s", got)
		}
	})
}

func TestHopelessEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, bucketWith(t, ""), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling))
		began := time.Now()
		b.start(testTargets(), time.Hour)
		b.set(bucketWith(t, conds("ACK.Recoverable=True|BucketAlreadyExists: The requested bucket name is not available.|")))
		err := b.end()
		var p *problem.Error
		if !errors.As(err, &p) || p.Kind != problem.NotReady || time.Since(began) > 0 {
			t.Fatalf("%v after %s", err, time.Since(began))
		}
		if !strings.Contains(p.What, "Bucket demo-bucket") || !strings.Contains(p.Why, "another AWS account") || !strings.Contains(p.Next, "--new-project") {
			t.Errorf("%+v", p)
		}
	})
}

func TestGraceRunsAnewWhenItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pending := func(msg string) *unstructured.Unstructured {
			return podWith(t, `  conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "`+msg+`"}]`)
		}
		b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling), pending("0/3 nodes are available: 3 node(s) had untolerated taint {a: b}."))
		b.start(testTargets(), time.Hour)
		time.Sleep(50 * time.Second)
		b.set(pending("0/3 nodes are available: 3 node(s) had untolerated taint {c: d}."))
		time.Sleep(50 * time.Second)
		if b.over() {
			t.Fatalf("ended early: %v", b.err)
		}
		time.Sleep(11 * time.Second)
		if !b.over() {
			t.Fatal("did not end")
		}
		var p *problem.Error
		if err := b.end(); !errors.As(err, &p) || p.Kind != problem.NotReady || !strings.Contains(p.Why, "{c: d}") {
			t.Errorf("%v", err)
		}
	})
}

func TestControllerThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, bucketWith(t, ""), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+available))
		b.start(testTargets(), 2*time.Minute)
		time.Sleep(29 * time.Second)
		if got := b.texts("demo-bucket"); len(got) != 1 {
			t.Errorf("%v", got)
		}
		time.Sleep(2 * time.Second)
		if got := b.texts("demo-bucket"); len(got) != 2 || !strings.Contains(got[1], "not running") || b.over() {
			t.Errorf("%v", got)
		}
		err := b.end()
		var p *problem.Error
		if !errors.As(err, &p) || p.Kind != problem.NotReady || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v", err)
		}
		if p.What != "Bucket demo-bucket is not ready after 2m0s" || !strings.Contains(p.Next, "oc ostoy-s3 controller status") || !strings.Contains(p.Next, "again") {
			t.Errorf("%+v", p)
		}
	})
}

func TestInterruptIsNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.start(testTargets(), time.Hour)
		b.cancel()
		err := b.end()
		var p *problem.Error
		if !errors.Is(err, context.Canceled) || errors.As(err, &p) {
			t.Errorf("%v", err)
		}
	})
}

func TestMissingObjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, readyBucket(t), boundVolume(t), parse(t, deploymentHead+available))
		began := time.Now()
		b.start(testTargets(), time.Hour)
		err := b.end()
		var p *problem.Error
		if !errors.As(err, &p) || !strings.Contains(p.What, "Route ostoy-route") || time.Since(began) < 10*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// A watch cache may show what was there before the apply.
func TestOlderThanApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := parse(t, deploymentHead+available)
		b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), old)
		targets := testTargets()
		applied := old.DeepCopy()
		applied.SetGeneration(3)
		targets.Live = []*unstructured.Unstructured{applied}
		b.start(targets, time.Minute)
		time.Sleep(time.Second)
		if b.over() {
			t.Fatal("believed an old object")
		}
		now := parse(t, strings.ReplaceAll(strings.ReplaceAll(deploymentHead+available, "generation: 2", "generation: 3"), "observedGeneration: 2", "observedGeneration: 3"))
		b.set(now)
		if err := b.end(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestBucketWrittenIsNotBelievedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+available))
		targets := testTargets()
		targets.Live = []*unstructured.Unstructured{readyBucket(t)}
		targets.BucketWritten = true
		began := time.Now()
		b.start(targets, time.Minute)
		if err := b.end(); err != nil || time.Since(began) < 5*time.Second || time.Since(began) > 5*time.Second+2*tick {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestMayNotWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.client.PrependReactor("list", "buckets", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "buckets"}, "", errors.New("no"))
		})
		b.start(testTargets(), time.Hour)
		var p *problem.Error
		if err := b.end(); !errors.As(err, &p) || p.Kind != problem.Failed || !apierrors.IsForbidden(err) {
			t.Errorf("%v", err)
		}
	})
}

// The API server goes away in the middle: watches break, lists fail, then all
// is well again.
func TestWatchesResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, bucketWith(t, ""), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+available))
		var mu sync.Mutex
		away := false
		var open []*apiwatch.RaceFreeFakeWatcher
		gone := apierrors.NewServiceUnavailable("restarting")
		b.client.PrependReactor("list", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
			mu.Lock()
			defer mu.Unlock()
			return away, nil, gone
		})
		b.client.PrependWatchReactor("buckets", func(clienttesting.Action) (bool, apiwatch.Interface, error) {
			mu.Lock()
			defer mu.Unlock()
			if away {
				return true, nil, gone
			}
			w := apiwatch.NewRaceFreeFake()
			open = append(open, w)
			return true, w, nil
		})
		b.start(testTargets(), time.Hour)
		time.Sleep(2 * time.Second)
		mu.Lock()
		away = true
		last := open[len(open)-1]
		mu.Unlock()
		// The version is too old: the informer must list again, and cannot.
		last.Error(&apierrors.NewResourceExpired("too old").ErrStatus)
		last.Stop()
		time.Sleep(5 * time.Second)
		b.set(readyBucket(t)) // while nobody watches
		if b.over() {
			t.Fatalf("%v", b.err)
		}
		mu.Lock()
		away = false
		mu.Unlock()
		if err := b.end(); err != nil {
			t.Fatal(err)
		}
		if got := b.texts("API server"); len(got) == 0 || got[0] != "does not answer, trying again" || len(got) > 2 {
			t.Errorf("%v", got)
		}
	})
}

func identityPod(t *testing.T, name, uid, hash, role string) *unstructured.Unstructured {
	volumes, env := "", ""
	if role != "" {
		volumes, env = "  volumes: [{name: aws-iam-token}]\n", ", env: [{name: AWS_ROLE_ARN, value: '"+role+"'}]"
	}
	return parse(t, `
apiVersion: v1
kind: Pod
metadata: {name: `+name+`, namespace: demo, uid: `+uid+`, creationTimestamp: "2026-01-01T00:00:00Z", labels: {app: ostoy-frontend, pod-template-hash: `+hash+`}}
spec:
`+volumes+`  containers: [{name: ostoy-frontend`+env+`}]
`)
}

func (b *bench) deletedPods() (names []string) {
	for _, a := range b.client.Actions() {
		d, ok := a.(clienttesting.DeleteActionImpl)
		if !ok {
			continue
		}
		if p := d.DeleteOptions.Preconditions; p == nil || p.UID == nil {
			b.t.Errorf("%s deleted without its uid", d.Name)
		}
		names = append(names, d.Name)
	}
	return names
}

func TestMissedPodsAreReplacedOnce(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/ostoy-s3/x"
	webhook := testTargets()
	webhook.Identity, webhook.RoleARN = []string{"ostoy-frontend"}, role

	t.Run("the second has it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling))
			b.start(webhook, time.Hour)
			b.set(identityPod(t, "one", "u1", "abc", ""))
			b.set(identityPod(t, "two", "u2", "abc", role))
			time.Sleep(time.Minute)
			b.set(parse(t, deploymentHead+available))
			if err := b.end(); err != nil {
				t.Fatal(err)
			}
			if got := b.deletedPods(); strings.Join(got, " ") != "one" {
				t.Errorf("deleted %v", got)
			}
			if got := strings.Join(b.texts("ostoy-frontend"), "|"); !strings.Contains(got, "pod one came without its AWS identity (no volume aws-iam-token)") {
				t.Error(got)
			}
		})
	})
	t.Run("the second is missed as well", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling))
			b.start(webhook, time.Hour)
			b.set(identityPod(t, "one", "u1", "abc", ""))
			b.set(identityPod(t, "two", "u2", "abc", ""))
			err := b.end()
			var p *problem.Error
			if !errors.As(err, &p) || p.Kind != problem.NotReady || !strings.Contains(p.Next, "podIdentity=projected") {
				t.Errorf("%v", err)
			}
			if got := b.deletedPods(); strings.Join(got, " ") != "one" {
				t.Errorf("deleted %v", got)
			}
		})
	})
	t.Run("another template may be mended, too", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling))
			b.start(webhook, time.Minute)
			b.set(identityPod(t, "one", "u1", "abc", ""))
			b.set(identityPod(t, "two", "u2", "def", "arn:aws:iam::123456789012:role/other"))
			_ = b.end()
			if got := b.deletedPods(); strings.Join(got, " ") != "one two" {
				t.Errorf("deleted %v", got)
			}
		})
	})
	t.Run("not in projected mode", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling), identityPod(t, "one", "u1", "abc", ""))
			b.start(testTargets(), time.Minute)
			_ = b.end()
			if got := b.deletedPods(); len(got) != 0 {
				t.Errorf("deleted %v", got)
			}
		})
	})
}
