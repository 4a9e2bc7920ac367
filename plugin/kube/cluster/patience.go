package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/waiting"
)

const (
	// dialLimit ends a connection attempt whose packets are dropped. It is
	// shorter than answerLimit, because its error says more.
	dialLimit = 7 * time.Second
	// answerLimit is how long a server may stay silent before it has answered
	// anything at all: long enough for a slow VPN, short enough to be told
	// within ten seconds.
	answerLimit = 8 * time.Second
	// hangUpLimit is how long a server that closes each connection is tried
	// again, as a load balancer without anything behind it does. client-go
	// alone would go on for ten seconds.
	hangUpLimit = 3 * time.Second
)

// silence is the error for a server that did not answer in time.
type silence struct {
	after time.Duration
	asked bool // the user chose the limit (--request-timeout)
}

func (s *silence) Error() string   { return fmt.Sprintf("no answer within %s", s.after) }
func (s *silence) Timeout() bool   { return true }
func (s *silence) Temporary() bool { return true }

// hungUp is the error for a server that closes every connection. It hides its
// cause on purpose: client-go tries again for as long as it sees it.
type hungUp struct{}

func (hungUp) Error() string { return "it closed the connection without an answer" }

// patience limits how long requests wait. http.Client's own timeout will not
// do: it also ends watches and followed logs, which last as long as they must.
type patience struct {
	next     http.RoundTripper
	first    time.Duration // for the head of an answer, until the server has answered once
	whole    time.Duration // for a whole request (--request-timeout); 0 is unlimited
	answered *atomic.Bool
	hangUps  *atomic.Int32
	begin    func() time.Time // when the first request was made
}

// newPatience limits the requests that go through next; whole is for each of
// them, 0 for no limit.
func newPatience(next http.RoundTripper, whole time.Duration) *patience {
	return &patience{next: next, first: answerLimit, whole: whole, answered: new(atomic.Bool), hangUps: new(atomic.Int32), begin: sync.OnceValue(time.Now)}
}

// RoundTrip implements http.RoundTripper.
func (p *patience) RoundTrip(req *http.Request) (*http.Response, error) {
	began := p.begin()
	ctx, done := waiting.For(req.Context(), "the API server at "+req.URL.Host+" to answer")
	defer done()
	ctx, cancel := context.WithCancelCause(ctx)
	silent := time.AfterFunc(p.first, func() {
		if !p.answered.Load() {
			cancel(&silence{after: p.first})
		}
	})
	defer silent.Stop()
	stop := func() bool { return true }
	if p.whole > 0 {
		stop = time.AfterFunc(p.whole, func() { cancel(&silence{after: p.whole, asked: true}) }).Stop
	}
	resp, err := p.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		stop()
		err = ended(ctx, err)
		cancel(nil)
		if isHangUp(err) && !p.answered.Load() && p.hangUps.Add(1) >= fewFaults && time.Since(began) > hangUpLimit {
			err = hungUp{}
		}
		return nil, err
	}
	p.answered.Store(true)
	if lasting(req) {
		stop()
	}
	resp.Body = &body{ReadCloser: resp.Body, ctx: ctx, done: func() { stop(); cancel(nil) }}
	return resp, nil
}

// WrappedRoundTripper lets client-go look through (it unwraps transports).
func (p *patience) WrappedRoundTripper() http.RoundTripper { return p.next }

func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

// lasting requests have answers without an end: only their head is waited for.
func lasting(req *http.Request) bool {
	query := req.URL.Query()
	yes := func(key string) bool { return query.Get(key) == "true" || query.Get(key) == "1" }
	return yes("watch") || yes("follow") || req.Header.Get("Upgrade") != ""
}

// ended gives our reason for ending a request, if it was us.
func ended(ctx context.Context, err error) error {
	if cause, ok := context.Cause(ctx).(*silence); ok {
		return cause
	}
	return err
}

// body releases the request's timers when the answer has been read.
type body struct {
	io.ReadCloser
	ctx  context.Context
	done func()
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = ended(b.ctx, err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.done()
	return err
}

// leave ends a request when its context ends, whatever it is blocked in. A
// credential plugin of the kubeconfig knows no context: it may wait for a person
// at a browser, or hang.
type leave struct{ next http.RoundTripper }

// WrappedRoundTripper lets client-go look through (it unwraps transports).
func (l leave) WrappedRoundTripper() http.RoundTripper { return l.next }

// RoundTrip implements http.RoundTripper.
func (l leave) RoundTrip(req *http.Request) (*http.Response, error) {
	type answer struct {
		resp *http.Response
		err  error
	}
	answered := make(chan answer)
	ctx, done := waiting.For(req.Context(), "the credential plugin of the kubeconfig")
	defer done()
	go func() {
		resp, err := l.next.RoundTrip(req.WithContext(ctx))
		select {
		case answered <- answer{resp, err}:
		case <-ctx.Done(): // nobody waits any more
			if err == nil {
				_ = resp.Body.Close()
			}
		}
	}()
	select {
	case a := <-answered:
		return a.resp, a.err
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// loadingLimit is how long after its last fault an API server may answer 403 to
// what it will allow: one that has just started serves requests before it has
// loaded all Roles and bindings. It is also how long one request waits for it, however
// many faults come meanwhile.
const loadingLimit = 30 * time.Second

// loading remembers when the API server last failed: its refusals are not final
// for a while after it. What was refused without that is, also later on. Of several
// servers behind a load balancer one may be loading while the others answer, so a good
// answer does not end it.
type loading struct {
	failed  atomic.Pointer[time.Time]
	waiting atomic.Pointer[time.Time] // since when refusals have been waited for
	refused sync.Map                  // method and path
}

// waits reports whether an answer is a refusal that may pass, and is worth a pause:
// began is when the request was first sent.
func (l *loading) waits(req *http.Request, resp *http.Response, began time.Time, pause time.Duration) bool {
	if resp == nil || resp.StatusCode != http.StatusForbidden {
		return false
	}
	key := req.Method + " " + req.URL.Path
	_, known := l.refused.Load(key)
	if !known && time.Since(began)+pause <= loadingLimit && l.mayPass(pause) && l.inTime() {
		return true
	}
	l.refused.Store(key, true)
	return false
}

// noteFault notes that a request failed as requests do when a server restarts.
func (l *loading) noteFault() {
	now := time.Now()
	l.failed.Store(&now)
}

// mayPass reports whether what is refused now may still be allowed after a pause.
func (l *loading) mayPass(pause time.Duration) bool {
	failed := l.failed.Load()
	return failed != nil && time.Since(*failed)+pause <= loadingLimit
}

// inTime reports whether the whole run has not yet waited for as long as a server
// takes: with faults that go on, each would start the wait again.
func (l *loading) inTime() bool {
	now := time.Now()
	l.waiting.CompareAndSwap(nil, &now)
	return time.Since(*l.waiting.Load()) <= loadingLimit
}

// isFault recognises a failure that a server which restarts may be the cause of. A
// server that asks for fewer requests (429) is at work, and so is one that reports
// an error of its own, or of a webhook (500).
func isFault(ctx context.Context, resp *http.Response, err error, passes bool) bool {
	if err != nil {
		return ctx.Err() == nil
	}
	return passes && resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusInternalServerError
}
