package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// dialLimit ends a connection attempt whose packets are dropped. It is
	// shorter than answerLimit, because its error says more.
	dialLimit = 7 * time.Second
	// answerLimit is how long a server may stay silent before it has answered
	// anything at all: long enough for a slow VPN, short enough to be told
	// within ten seconds.
	answerLimit = 8 * time.Second
)

// silence is the error for a server that did not answer in time.
type silence struct {
	after time.Duration
	asked bool // the user chose the limit (--request-timeout)
}

func (s *silence) Error() string   { return fmt.Sprintf("no answer within %s", s.after) }
func (s *silence) Timeout() bool   { return true }
func (s *silence) Temporary() bool { return true }

// patience limits how long requests wait. http.Client's own timeout will not
// do: it also ends watches and followed logs, which last as long as they must.
type patience struct {
	next     http.RoundTripper
	first    time.Duration // for the head of an answer, until the server has answered once
	whole    time.Duration // for a whole request (--request-timeout); 0 is unlimited
	answered *atomic.Bool
}

// RoundTrip implements http.RoundTripper.
func (p *patience) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
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
