package wait

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// unlisted has the server not list the objects of a resource until it is told to.
func (b *bench) unlisted(resource string) (list func()) {
	var may atomic.Bool
	b.client.PrependReactor("list", resource, func(clienttesting.Action) (bool, runtime.Object, error) {
		return !may.Load(), nil, apierrors.NewServiceUnavailable("not yet")
	})
	return func() { may.Store(true) }
}

// TestPodsAreLookedAtFirst: a Deployment is not judged before its pods have been listed.
func TestPodsAreLookedAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+available))
		list := b.unlisted("pods")
		b.start(testTargets(), time.Hour)
		time.Sleep(time.Minute)
		if b.over() || len(b.texts("ostoy-frontend")) > 0 {
			t.Errorf("judged without pods: %q", b.texts("ostoy-frontend"))
		}
		list()
		if err := b.end(); err != nil {
			t.Error(err)
		}
	})
}

// TestAnotherOfTheName: an object that was made anew since the apply counts from one again,
// and is believed.
func TestAnotherOfTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+available))
		before := parse(t, deploymentHead+available)
		before.SetUID("d0")
		before.SetGeneration(7)
		targets := testTargets()
		targets.Live = []*unstructured.Unstructured{before}
		b.start(targets, time.Minute)
		if err := b.end(); err != nil {
			t.Error(err)
		}
	})
}

// waiterGaveUp is a pod whose wait-for-bucket gave up at this time.
func waiterGaveUp(t *testing.T, at string) *unstructured.Unstructured {
	return podWith(t, `  initContainerStatuses: [{name: wait-for-bucket, state: {waiting: {}}, lastState: {terminated: {exitCode: 1, finishedAt: "`+at+`", message: "AccessDenied from sts"}}}]`)
}

// TestGaveUpBefore: what the pods said before the wait is not its result; the same said
// again is.
func TestGaveUpBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling), waiterGaveUp(t, "2026-01-01T00:00:00Z"))
		b.start(testTargets(), time.Hour)
		time.Sleep(time.Minute)
		if got := strings.Join(b.texts("ostoy-frontend"), "|"); b.over() || !strings.Contains(got, "gave up before this run") {
			t.Fatalf("%q, %v", got, b.err)
		}
		b.set(waiterGaveUp(t, "2026-01-01T00:05:00Z"))
		var told *problem.Error
		if err := b.end(); !errors.As(err, &told) || told.Kind != problem.NotReady || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(told.Why, "AccessDenied from sts") {
			t.Errorf("%v", err)
		}
	})
	if (&waiting{crashes: map[string]string{}}).gaveUpBefore(&unstructured.Unstructured{Object: map[string]any{}}, "") {
		t.Error("a pod that never gave up did before")
	}
}

// TestPodsAreRememberedFirst: pods that are listed while a look is under way are judged by
// the next one, which knows what they had said before.
func TestPodsAreRememberedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, parse(t, deploymentHead+rolling), waiterGaveUp(t, "2026-01-01T00:00:00Z"))
		w := &waiting{targets: testTargets(), watched: watch(t.Context(), b.client, "demo", kinds.Deployment, kinds.Pod)}
		defer w.watched.stop()
		synctest.Wait() // all is listed
		judged := false
		judge := func(*unstructured.Unstructured) State {
			judged = true
			return State{}
		}
		if s := w.one(kinds.Deployment, "ostoy-frontend", judge); judged || !s.Silent {
			t.Errorf("judged %t: %+v", judged, s)
		}
		w.remember()
		if w.one(kinds.Deployment, "ostoy-frontend", judge); !judged || w.crashes["p1"] == "" {
			t.Errorf("judged %t: %v", judged, w.crashes)
		}
	})
}

// TestPodsBesideAStaleStatus: a bucket that S3 has is there for the pods, whatever the
// status of its Bucket says.
func TestPodsBesideAStaleStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pod := podWith(t, `  initContainerStatuses: [{name: wait-for-bucket, state: {running: {}}}]`)
		b := newBench(t, unfinishedBucket(t, reconciling), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling), pod)
		looks, targets := 0, testTargets()
		targets.Unfinished = looking(&looks, true)
		b.start(targets, time.Hour)
		time.Sleep(health.UnfinishedAfter - time.Second)
		if got := strings.Join(b.texts("ostoy-frontend"), "|"); strings.Contains(got, "the bucket is there") {
			t.Errorf("%q", got)
		}
		time.Sleep(health.UnfinishedAfter)
		if got := strings.Join(b.texts("ostoy-frontend"), "|"); !strings.HasSuffix(got, "IAM is still spreading the new role") {
			t.Errorf("%q", got)
		}
		b.cancel()
		if err := b.end(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestUnfinishedOfAnother: a Bucket that was made anew has its own time.
func TestUnfinishedOfAnother(t *testing.T) {
	looks := 0
	u := unfinished{look: looking(&looks, true)}
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first, second := unfinishedBucket(t, reconciling), unfinishedBucket(t, reconciling)
	second.SetUID("b2")
	for n, c := range []struct {
		bucket *unstructured.Unstructured
		after  time.Duration
		found  bool
	}{
		{first, 0, false},
		{second, health.UnfinishedAfter, false},
		{second, 2*health.UnfinishedAfter - time.Second, false},
		{second, 2 * health.UnfinishedAfter, true},
		{readyBucket(t), 2 * health.UnfinishedAfter, false},
	} {
		if _, found := u.judge(t.Context(), c.bucket, began.Add(c.after)); found != c.found {
			t.Errorf("%d: %t", n, found)
		}
	}
}

// TestStates: judge is asked once every kind has been listed, its States are waited for,
// none is not all, and its error ends the wait.
func TestStates(t *testing.T) {
	all := []kinds.Kind{kinds.Bucket, kinds.Deployment}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, readyBucket(t))
		list := b.unlisted("deployments")
		var asked, ready atomic.Bool
		done := make(chan error, 1)
		go func() {
			states, err := States(t.Context(), b.client, "demo", all, func(_ context.Context, seen Seen) ([]State, error) {
				asked.Store(true)
				if seen.Get(kinds.Pod, "x") != nil || seen.List(kinds.Pod) != nil || seen.Get(kinds.Bucket, "demo-bucket") == nil || len(seen.List(kinds.Bucket)) != 1 {
					t.Error("shows something else")
				}
				if !ready.Load() {
					return nil, nil
				}
				return []State{{Kind: "Bucket", Name: "demo-bucket", Ready: true}}, nil
			}, nil)
			if len(states) != 1 {
				t.Errorf("%+v", states)
			}
			done <- err
		}()
		time.Sleep(time.Minute)
		if asked.Load() {
			t.Error("asked before all was listed")
		}
		list()
		time.Sleep(time.Minute)
		if len(done) > 0 || !asked.Load() {
			t.Error("no State was enough, or nobody asked")
		}
		ready.Store(true)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	broken := errors.New("broken")
	synctest.Test(t, func(t *testing.T) {
		_, err := States(t.Context(), newBench(t).client, "demo", all, func(context.Context, Seen) ([]State, error) { return nil, broken }, nil)
		if !errors.Is(err, broken) {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ended, end := context.WithCancel(t.Context())
		end()
		if _, err := States(ended, newBench(t).client, "demo", all, func(context.Context, Seen) ([]State, error) { return nil, nil }, nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestUntil: a kind that is not served has no objects, an error of done ends the wait, and
// so does the end of the context.
func TestUntil(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		done   func(all []*unstructured.Unstructured) (bool, error)
		served bool
		want   error
	}{
		"not served":  {func(all []*unstructured.Unstructured) (bool, error) { return len(all) == 0, nil }, false, nil},
		"done":        {func(all []*unstructured.Unstructured) (bool, error) { return len(all) == 1, nil }, true, nil},
		"broken":      {func([]*unstructured.Unstructured) (bool, error) { return false, broken }, true, broken},
		"interrupted": {func([]*unstructured.Unstructured) (bool, error) { return false, nil }, true, context.Canceled},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, readyBucket(t))
			if !c.served {
				b.client.PrependReactor("list", "buckets", func(clienttesting.Action) (bool, runtime.Object, error) {
					return true, nil, apierrors.NewNotFound(kinds.Bucket.GVR().GroupResource(), "")
				})
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := func(all []*unstructured.Unstructured) (bool, error) {
				if c.want == context.Canceled {
					cancel()
				}
				return c.done(all)
			}
			if err := Until(ctx, b.client, "demo", kinds.Bucket, done, nil); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// TestNotReady: an advice that helps several objects is given once.
func TestNotReady(t *testing.T) {
	states := []State{{Kind: "Bucket", Name: "b", Text: "no", Hint: "do this"}, {Kind: "Route", Name: "r", Text: "none", Hint: "do this"}, {Kind: "Pod", Name: "p", Text: "late"}}
	p := notReady(states, "is late", "are late")
	if p.What != "3 objects are late" || p.Why != "Bucket b: no\nRoute r: none\nPod p: late" || p.Next != "do this" {
		t.Errorf("%+v", p)
	}
	if p := notReady(states[:1], "is late", "are late"); p.What != "Bucket b is late" || p.Why != "no" {
		t.Errorf("%+v", p)
	}
}

// TestPodThatIsNotDeleted: who may not delete a pod without identity is told who may; one
// that somebody else has deleted is left alone.
func TestPodThatIsNotDeleted(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		fails bool
		once  bool // it is not tried again
	}{
		"forbidden": {apierrors.NewForbidden(kinds.Pod.GVR().GroupResource(), "one", errors.New("no")), true, false},
		"gone":      {apierrors.NewNotFound(kinds.Pod.GVR().GroupResource(), "one"), false, true},
		"another":   {apierrors.NewConflict(kinds.Pod.GVR().GroupResource(), "one", errors.New("uid")), false, true},
		"a fault":   {apierrors.NewServiceUnavailable("restarting"), false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling), identityPod(t, "one", "u1", "abc", ""))
			b.client.PrependReactor("delete", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, c.err })
			targets := testTargets()
			targets.Identity = []string{"ostoy-frontend"}
			b.start(targets, time.Minute)
			var told *problem.Error
			err := b.end()
			if !errors.As(err, &told) || told.Kind != problem.NotReady || errors.Is(err, context.DeadlineExceeded) == c.fails || strings.Contains(told.Next, "oc delete pod one -n demo") != c.fails {
				t.Errorf("%s: %v", name, err)
			}
			if tries := len(b.deletedPods()); !c.fails && (tries == 1) != c.once {
				t.Errorf("%s: %d tries", name, tries)
			}
		})
	}
}

// TestTrouble: the ordinary end of a watch is none; every other is, and one that is about
// the login says so.
func TestTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string // "": none
	}{
		"too old":     {apierrors.NewResourceExpired("too old"), ""},
		"closed":      {nil, ""},
		"interrupted": {context.Canceled, ""},
		"late":        {context.DeadlineExceeded, ""},
		"away":        {apierrors.NewServiceUnavailable("restarting"), "does not answer, trying again"},
		"no login":    {apierrors.NewUnauthorized("who are you"), "does not accept the login any more, trying again"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := watch(t.Context(), newBench(t).client, "demo", kinds.Bucket)
			defer w.stop()
			synctest.Wait()
			w.fail(kinds.Bucket, c.err)
			s, there := w.trouble()
			if there != (c.want != "") || there && (s.Text != c.want || s.Ready || s.Level != health.Warn) {
				t.Errorf("%s: %t, %+v", name, there, s)
			}
			w.answered(kinds.Bucket)
			if s, there := w.trouble(); there && (s.Text != "answers again" || !s.Ready) || there != (c.want != "") {
				t.Errorf("%s, later: %t, %+v", name, there, s)
			}
		})
	}
}
