package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
)

// flaky is a server that fails the first so many requests, and notes bodies.
type flaky struct {
	*httptest.Server
	asked atomic.Int64
	fails atomic.Int64
	fail  http.HandlerFunc
}

func newFlaky(t *testing.T, fail http.HandlerFunc) *flaky {
	t.Helper()
	f := &flaky{fail: fail}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.asked.Add(1)
		if f.fails.Add(-1) >= 0 {
			f.fail(w, r)
			return
		}
		fmt.Fprintf(w, "%s %s", r.Method, body)
	}))
	t.Cleanup(f.Close)
	return f
}

// persistent is a client that never really pauses, and what it would have.
func persistent(t *testing.T) (*http.Client, *[]time.Duration) {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	pauses := &[]time.Duration{}
	a := newAgain(newPatience(transport, 0))
	a.pause = func(ctx context.Context, d time.Duration) error {
		*pauses = append(*pauses, d)
		return ctx.Err()
	}
	a.answered.Store(true)
	a.well.Store(true)
	return &http.Client{Transport: a}, pauses
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func breakOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	fmt.Fprint(w, "half of it")
	panic(http.ErrAbortHandler)
}

// TestAgain: what passes is repeated, writes with their body; what does not is
// told at once.
func TestAgain(t *testing.T) {
	for name, c := range map[string]struct {
		fail  http.HandlerFunc
		again bool
	}{
		"429":           {status(429), true},
		"500":           {status(500), true},
		"502":           {status(502), true},
		"503":           {status(503), true},
		"504":           {status(504), true},
		"hangs up":      {hangUp, true},
		"breaks off":    {breakOff, true},
		"refuses":       {status(403), false},
		"not there":     {status(404), false},
		"conflict":      {status(409), false},
		"invalid":       {status(422), false},
		"does not know": {status(501), false},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
			t.Run(name+" "+method, func(t *testing.T) {
				server := newFlaky(t, c.fail)
				server.fails.Store(3)
				client, pauses := persistent(t)
				answer, told := do(t, client, method, server.URL+"/api/v1/pods")
				if want := method + " body"; c.again && answer != want {
					t.Errorf("answer %q, want %q", answer, want)
				}
				if !c.again && (server.asked.Load() != 1 || len(*pauses) > 0) {
					t.Errorf("asked %d times", server.asked.Load())
				}
				// Only what may have been done is in doubt.
				if want := c.again && name != "429"; told() != want {
					t.Errorf("in doubt: %t, want %t", told(), want)
				}
			})
		}
	}
}

// do makes a request and gives its answer's body, and whether it is in doubt.
func do(t *testing.T, client *http.Client, method, url string) (string, func() bool) {
	t.Helper()
	ctx, told := InDoubt(t.Context())
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err.Error(), told
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), told
}

// TestAgainHasAnEnd, with pauses that grow, and nothing for client-go to begin
// anew.
func TestAgainHasAnEnd(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{"503": status(503, "Retry-After", "0"), "hangs up": hangUp} {
		server := newFlaky(t, fail)
		server.fails.Store(1000)
		client, pauses := persistent(t)
		resp, err := client.Get(server.URL)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "" {
				t.Errorf("%s: %s, Retry-After %q", name, resp.Status, resp.Header.Get("Retry-After"))
			}
		} else if isHangUp(err) || !errors.As(err, new(hungUp)) {
			t.Errorf("%s: client-go would go on after %v", name, err)
		}
		// A read whose connection breaks is tried twice by net/http itself.
		if n := server.asked.Load(); n < maxTries || n > 2*maxTries {
			t.Errorf("%s: asked %d times", name, n)
		}
		var sum time.Duration
		for _, pause := range *pauses {
			sum += pause
		}
		if len(*pauses) != maxTries-1 || sum != 7100*time.Millisecond {
			t.Errorf("%s: pauses %v", name, *pauses)
		}
	}
}

// TestRetryAfter is obeyed, within reason.
func TestRetryAfter(t *testing.T) {
	for asked, want := range map[string]time.Duration{"1": time.Second, "7": 7 * time.Second, "3600": longestAsked, "0": firstPause, "soon": firstPause, "-5": firstPause} {
		server := newFlaky(t, status(429, "Retry-After", asked))
		server.fails.Store(1)
		client, pauses := persistent(t)
		if answer, _ := do(t, client, http.MethodGet, server.URL); answer != "GET body" || len(*pauses) != 1 || (*pauses)[0] != want {
			t.Errorf("Retry-After %s: %q after %v", asked, answer, *pauses)
		}
	}
}

// TestNothingListens: told at once where the server was never there, and
// waited for where it was.
func TestNothingListens(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	client, pauses := persistent(t)
	do(t, client, http.MethodGet, gone.URL)
	if len(*pauses) != maxTries-1 {
		t.Errorf("a server that was there is waited for %v", *pauses)
	}
	client, pauses = persistent(t)
	client.Transport.(*again).answered.Store(false)
	do(t, client, http.MethodGet, gone.URL)
	if len(*pauses) != 0 {
		t.Errorf("a server that never was is waited for %v", *pauses)
	}
}

// TestNeverWell: a load balancer without a server behind it is given up within
// a few seconds.
func TestNeverWell(t *testing.T) {
	client, _ := persistent(t)
	a := client.Transport.(*again)
	a.well.Store(false)
	for after, want := range map[time.Duration]bool{time.Second: false, hangUpLimit + 1: true} {
		if a.late(fewFaults, after, false) != want || a.late(fewFaults, after, true) || a.late(fewFaults-1, after, false) {
			t.Errorf("after %s it is late: %t", after, !want)
		}
	}
	a.well.Store(true)
	if a.late(fewFaults, hangUpLimit+1, false) || !a.late(1, enough+1, false) || a.late(1, enough+1, true) {
		t.Error("a server that has done well is given the wrong time")
	}
	server := newFlaky(t, status(503))
	server.fails.Store(1)
	a.well.Store(false)
	if do(t, client, http.MethodGet, server.URL); !a.well.Load() {
		t.Error("a good answer is not remembered")
	}
}

// TestDiscoveryOfAGroupIsNotRepeated: that its server is away is the answer.
func TestDiscoveryOfAGroupIsNotRepeated(t *testing.T) {
	for path, want := range map[string]int64{"/apis/metrics.k8s.io/v1beta1": 1, "/apis": 2, "/apis/apps/v1/namespaces/a/deployments": 2} {
		server := newFlaky(t, status(503))
		server.fails.Store(1)
		client, _ := persistent(t)
		do(t, client, http.MethodGet, server.URL+path)
		if n := server.asked.Load(); n != want {
			t.Errorf("%s: asked %d times", path, n)
		}
	}
}

// TestAgainEndsWithItsContext, and says what it was waiting for.
func TestAgainEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := newFlaky(t, status(503))
	server.fails.Store(1000)
	client, _ := persistent(t)
	client.Transport.(*again).pause = func(ctx context.Context, d time.Duration) error {
		cancel()
		return interrupt.Sleep(ctx, time.Hour)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "before that: HTTP 503") {
		t.Errorf("%v", err)
	}
}

// TestWatchIsNotReadToItsEnd: its answer has none.
func TestWatchIsNotReadToItsEnd(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "first")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	client, _ := persistent(t)
	resp, err := client.Get(server.URL + "/api/v1/pods?watch=true")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	line := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, line); err != nil || string(line) != "first" {
		t.Errorf("%q, %v", line, err)
	}
}
