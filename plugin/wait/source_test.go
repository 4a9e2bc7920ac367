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
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// moody is an API server whose watches of Buckets begin as answer says.
type moody struct {
	*bench
	lock    sync.Mutex
	answer  func() (apiwatch.Interface, error)
	refused error // of lists
	open    *apiwatch.RaceFreeFakeWatcher
}

func newMoody(t *testing.T) *moody {
	m := &moody{bench: newBench(t, bucketWith(t, ""), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+available))}
	m.client.PrependReactor("list", "buckets", func(clienttesting.Action) (bool, runtime.Object, error) {
		m.lock.Lock()
		defer m.lock.Unlock()
		return m.refused != nil, nil, m.refused
	})
	m.client.PrependWatchReactor("buckets", func(clienttesting.Action) (bool, apiwatch.Interface, error) {
		m.lock.Lock()
		answer := m.answer
		m.lock.Unlock()
		if answer != nil {
			w, err := answer()
			return true, w, err
		}
		m.lock.Lock()
		defer m.lock.Unlock()
		m.open = apiwatch.NewRaceFreeFake()
		return true, m.open, nil
	})
	return m
}

// turns makes watches begin in another way from now on, and ends the open one.
func (m *moody) turns(answer func() (apiwatch.Interface, error)) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.answer = answer
	m.open.Stop()
}

// TestServerThatRestarts: a refused connection is told at once, and tried again
// each second, however long it lasts: the wait goes on as soon as the server is
// back.
func TestServerThatRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMoody(t)
		m.start(testTargets(), time.Hour)
		time.Sleep(2 * time.Second)
		m.turns(func() (apiwatch.Interface, error) { return nil, syscall.ECONNREFUSED })
		time.Sleep(3 * time.Second)
		if got := m.texts("API server"); !slices.Equal(got, []string{"does not answer, trying again"}) {
			t.Fatalf("three seconds after it was gone: %v", got)
		}
		time.Sleep(20 * time.Minute)
		m.turns(nil)
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
		free := make(chan struct{})
		defer close(free)
		m.client.PrependReactor("list", "buckets", func(clienttesting.Action) (bool, runtime.Object, error) {
			<-free
			return true, nil, errors.New("cut")
		})
		began := time.Now()
		m.start(testTargets(), time.Minute)
		time.Sleep(silentAfter + time.Second)
		if got := m.texts("API server"); !slices.Equal(got, []string{"does not answer, trying again"}) {
			t.Fatalf("%v", got)
		}
		time.Sleep(time.Minute)
		free <- struct{}{} // a fake's request does not end with its context
		var p *problem.Error
		if err := m.end(); !errors.As(err, &p) || p.Kind != problem.NotReady || !strings.Contains(p.Why, "the API server does not answer: no answer for 5s") {
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
		m.turns(func() (apiwatch.Interface, error) {
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
				m.err = Until(m.t.Context(), m.client, "demo", "Bucket", func(all []*unstructured.Unstructured) (bool, error) {
					return len(all) == 0, nil
				})
			}()
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := newMoody(t)
			begin(m)
			time.Sleep(2 * time.Second)
			expired := apierrors.NewUnauthorized("expired")
			m.lock.Lock()
			m.refused = expired
			m.lock.Unlock()
			m.turns(func() (apiwatch.Interface, error) { return nil, expired })
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
