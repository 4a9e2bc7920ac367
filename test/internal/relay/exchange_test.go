package relay

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestWhatBecomesOfARequest: whether the server sees it, and what the client
// gets.
func TestWhatBecomesOfARequest(t *testing.T) {
	for name, c := range map[string]struct {
		play   Play
		seen   bool
		answer string // empty: none
	}{
		"passed on":  {(*Exchange).Pass, true, "all is well"},
		"cut":        {(*Exchange).Cut, false, ""},
		"lost":       {func(e *Exchange) { e.Lose(nil) }, true, ""},
		"breaks off": {(*Exchange).CutWithin, true, ""},
		"waits":      {func(e *Exchange) { e.Wait(time.Millisecond); e.Pass() }, true, "all is well"},
		"seen":       {func(e *Exchange) { e.PassAndSee(func(int) {}) }, true, "all is well"},
	} {
		t.Run(name, func(t *testing.T) {
			var seen atomic.Int64
			server := httptest.NewServer((&Relay{play: c.play}).between(false)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen.Add(1)
				_, _ = w.Write([]byte("all is well"))
			})))
			t.Cleanup(server.Close)
			answer := ""
			resp, err := http.Post(server.URL, "text/plain", strings.NewReader("x"))
			if err == nil {
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if err == nil {
					answer = string(body)
				}
			}
			if answer != c.answer || (seen.Load() == 1) != c.seen {
				t.Errorf("the client got %q, the server was asked %d times", answer, seen.Load())
			}
		})
	}
}

// TestLostIsToldFirst: who loses an answer knows that the server has done it.
func TestLostIsToldFirst(t *testing.T) {
	var did, told atomic.Bool
	play := func(e *Exchange) { e.Lose(func() { told.Store(did.Load()) }) }
	server := httptest.NewServer((&Relay{play: play}).between(false)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		did.Store(true)
		w.WriteHeader(http.StatusNoContent)
	})))
	t.Cleanup(server.Close)
	if resp, err := http.Post(server.URL, "text/plain", nil); err == nil {
		resp.Body.Close()
		t.Error("there was an answer")
	}
	if !told.Load() {
		t.Error("was told before the server had done it, or never")
	}
}

// TestFaultsAreOfTheSeed: the same seed plays the same faults, about as many as
// were asked for, and each kind.
func TestFaultsAreOfTheSeed(t *testing.T) {
	const requests, rate = 4000, 0.1
	counts := map[uint64]map[Kind]int{}
	for _, seed := range []uint64{1, 1, 2} {
		f := NewFaults(seed, rate)
		for n := range requests {
			f.choose(&Exchange{AWS: n%2 == 0})
		}
		if before := counts[seed]; before != nil && !maps.Equal(before, f.Count()) {
			t.Errorf("seed %d: %v, then %v", seed, before, f.Count())
		}
		counts[seed] = f.Count()
	}
	if maps.Equal(counts[1], counts[2]) {
		t.Error("every seed is the same")
	}
	sum := 0
	for _, kind := range Kinds() {
		if counts[1][kind] == 0 {
			t.Errorf("never %s", kind)
		}
		sum += counts[1][kind]
	}
	if sum < requests*rate/2 || sum > requests*rate*2 {
		t.Errorf("%d faults in %d requests", sum, requests)
	}
}

// TestSpreading: unknown for a while, never for long on end, and no other role.
func TestSpreading(t *testing.T) {
	s := NewSpreading(1, time.Hour, nil)
	s.begin("new")
	known, unknown, onEnd := 0, 0, 0
	for range 200 {
		if s.hides(&Exchange{Action: "GetRole", Role: "old"}) || s.hides(&Exchange{Action: "DeleteRole", Role: "new"}) {
			t.Fatal("something else is hidden")
		}
		if !s.hides(&Exchange{Action: "GetRole", Role: "new"}) {
			known, onEnd = known+1, 0
			continue
		}
		unknown, onEnd = unknown+1, onEnd+1
		if onEnd > 3 {
			t.Fatal("hidden for too long")
		}
	}
	if known < 50 || unknown < 50 || s.Unknown() != unknown {
		t.Errorf("%d times known, %d times not, says %d", known, unknown, s.Unknown())
	}
	s.lasts = 0
	if s.hides(&Exchange{Action: "GetRole", Role: "new"}) {
		t.Error("it does not end")
	}
}
