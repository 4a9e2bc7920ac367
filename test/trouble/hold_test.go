package trouble_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// held is a user some of whose requests are kept waiting until the test lets
// go of them, and are then cut.
type held struct {
	user  run.User
	after string // nothing is held before a request to this path; empty: from the start

	lock sync.Mutex
	seen map[int]bool
	free chan struct{}
	once sync.Once
}

// hold keeps requests from being passed on; places are pairs of a method and
// the end of a path.
func hold(t *testing.T, bed *testbed.Bed, kubeconfig string, places ...string) *held {
	t.Helper()
	h := &held{seen: map[int]bool{}, free: make(chan struct{})}
	through, err := bed.KubeProxy(t.Context(), kubeconfig, func(_ int64, r *http.Request) error {
		h.begin(r.URL.Path)
		for at := 0; at < len(places); at += 2 {
			if r.Method != places[at] || !strings.HasSuffix(r.URL.Path, places[at+1]) || h.passes(at/2) {
				continue
			}
			<-h.free
			return errors.New("cut")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.user = run.User{Bed: bed, Name: "held", Kubeconfig: through}
	t.Cleanup(h.letGo)
	return h
}

func (h *held) begin(path string) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if h.after != "" && strings.HasSuffix(path, h.after) {
		h.after = ""
	}
}

// passes notes a request to a place and tells whether it is not to be held.
func (h *held) passes(place int) bool {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.seen[place] = h.after == ""
	return h.after != ""
}

func (h *held) letGo() { h.once.Do(func() { close(h.free) }) }

// reached waits until a request to a place is held.
func (h *held) reached(t *testing.T, place int) {
	t.Helper()
	run.Eventually(t, "the request to hold", func(context.Context) error {
		h.lock.Lock()
		defer h.lock.Unlock()
		if !h.seen[place] {
			return errors.New("it did not come")
		}
		return nil
	})
}
