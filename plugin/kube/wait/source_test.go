package wait

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// moody is an API server that answers for Buckets as the test says. It stands
// before the fake one, which would hold a lock while an answer is kept back.
type moody struct {
	*bench
	lock  sync.Mutex
	list  func(context.Context) error // nil, or nil error: it lists
	begin func(context.Context) (apiwatch.Interface, error)
	open  *apiwatch.RaceFreeFakeWatcher
}

func newMoody(t *testing.T) *moody {
	m := &moody{bench: newBench(t, bucketWith(t, ""), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+available))}
	m.through = server{m.client, m}
	return m
}

// turns makes lists and watches begin in another way from now on, and ends the
// open watch.
func (m *moody) turns(list func(context.Context) error, begin func(context.Context) (apiwatch.Interface, error)) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.list, m.begin = list, begin
	if m.open != nil {
		m.open.Stop()
	}
}

func (m *moody) mood() (func(context.Context) error, func(context.Context) (apiwatch.Interface, error)) {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.list, m.begin
}

// server, kind and here are a client of Buckets that asks moody first.
type server struct {
	dynamic.Interface
	moody *moody
}

// IsWatchListSemanticsUnSupported is how the fake, too, asks for plain lists.
func (server) IsWatchListSemanticsUnSupported() bool { return true }

func (s server) Resource(resource schema.GroupVersionResource) dynamic.NamespaceableResourceInterface {
	if resource != kinds.Bucket.GVR() {
		return s.Interface.Resource(resource)
	}
	return kind{s.Interface.Resource(resource), s.moody}
}

type kind struct {
	dynamic.NamespaceableResourceInterface
	moody *moody
}

func (k kind) Namespace(name string) dynamic.ResourceInterface {
	return here{k.NamespaceableResourceInterface.Namespace(name), k.moody}
}

type here struct {
	dynamic.ResourceInterface
	moody *moody
}

func (h here) List(ctx context.Context, opts metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	if list, _ := h.moody.mood(); list != nil {
		if err := list(ctx); err != nil {
			return nil, err
		}
	}
	return h.ResourceInterface.List(ctx, opts)
}

func (h here) Watch(ctx context.Context, _ metav1.ListOptions) (apiwatch.Interface, error) {
	if _, begin := h.moody.mood(); begin != nil {
		return begin(ctx)
	}
	h.moody.lock.Lock()
	defer h.moody.lock.Unlock()
	h.moody.open = apiwatch.NewRaceFreeFake()
	return h.moody.open, nil
}

// TestServerThatRestarts: a refused connection is told at once, and tried again
// each second, however long it lasts: the wait goes on as soon as the server is
// back.
func TestServerThatRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMoody(t)
		m.start(testTargets(), time.Hour)
		time.Sleep(2 * time.Second)
		m.turns(nil, func(context.Context) (apiwatch.Interface, error) { return nil, syscall.ECONNREFUSED })
		time.Sleep(3 * time.Second)
		if got := m.texts("API server"); !slices.Equal(got, []string{"does not answer, trying again"}) {
			t.Fatalf("three seconds after it was gone: %v", got)
		}
		time.Sleep(20 * time.Minute)
		m.turns(nil, nil)
		time.Sleep(3 * time.Second)
		if got := m.texts("API server"); got[len(got)-1] != "answers again" || len(got) != 2 {
			t.Errorf("three seconds after it was back: %v", got)
		}
		m.lock.Lock()
		m.open.Modify(readyBucket(t))
		m.lock.Unlock()
		if err := m.end(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestServerThatIsSilent: a request that is not answered is told of within
// seconds, and named where the time ends.
func TestServerThatIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMoody(t)
		m.turns(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, nil)
		began := time.Now()
		m.start(testTargets(), time.Minute)
		time.Sleep(silentAfter + time.Second)
		if got := m.texts("API server"); !slices.Equal(got, []string{"does not answer, trying again"}) {
			t.Fatalf("%v", got)
		}
		var p *problem.Error
		if err := m.end(); !errors.As(err, &p) || p.Kind != problem.NotReady || !strings.Contains(p.Why, "the API server does not answer: no answer for 5s") || time.Since(began) > time.Minute {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

// TestWatchThatClientGoGaveUp: an empty watch is what it makes of a broken
// connection, and no sign of life.
func TestWatchThatClientGoGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMoody(t)
		m.start(testTargets(), time.Hour)
		time.Sleep(2 * time.Second)
		m.turns(nil, func(context.Context) (apiwatch.Interface, error) {
			time.Sleep(10 * time.Second)
			return apiwatch.NewEmptyWatch(), nil
		})
		time.Sleep(12 * time.Second)
		if got := m.texts("API server"); len(got) == 0 || got[0] != "does not answer, trying again" {
			t.Errorf("%v", got)
		}
		m.cancel()
		time.Sleep(time.Minute)
		if err := m.end(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestLoginThatExpires: while a server restarts it may not know the login; one
// that stays unknown has expired, and waiting is of no use.
func TestLoginThatExpires(t *testing.T) {
	for name, begin := range map[string]func(*moody){
		"wait": func(m *moody) { m.start(testTargets(), time.Hour) },
		"until": func(m *moody) {
			m.cancel = func() {}
			go func() {
				defer close(m.done)
				m.err = Until(m.t.Context(), m.through, "demo", kinds.Bucket, func(all []*unstructured.Unstructured) (bool, error) {
					return len(all) == 0, nil
				}, nil)
			}()
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := newMoody(t)
			begin(m)
			time.Sleep(2 * time.Second)
			expired := apierrors.NewUnauthorized("expired")
			m.turns(func(context.Context) error { return expired }, func(context.Context) (apiwatch.Interface, error) { return nil, expired })
			time.Sleep(loggedOutGrace / 2)
			if m.over() {
				t.Fatalf("%s: given up too early: %v", name, m.err)
			}
			began := time.Now()
			var p *problem.Error
			if err := m.end(); !errors.As(err, &p) || p.Kind != problem.Failed || !strings.Contains(p.Next, "oc login") || time.Since(began) > 2*loggedOutGrace {
				t.Errorf("%s, after %s: %v", name, time.Since(began), err)
			}
		})
	}
}
