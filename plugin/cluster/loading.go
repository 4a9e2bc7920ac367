package cluster

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

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

// AwaitRights pauses and reports true while a review that answers no may still
// change its answer: the API server failed a moment ago, and may not have loaded
// all Roles and bindings yet. Otherwise the answer is final, and it reports false
// without a pause; began is when the right was first asked for.
func (c *Conn) AwaitRights(ctx context.Context, began time.Time) bool {
	if c.loading == nil || time.Since(began)+longestPause > loadingLimit || !c.loading.mayPass(longestPause) {
		return false
	}
	return sleep(ctx, longestPause) == nil
}
