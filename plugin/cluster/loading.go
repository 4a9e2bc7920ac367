package cluster

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// loadingLimit is how long after its last fault an API server may answer 403 to
// what it will allow: one that has just started serves requests before it has
// loaded all Roles and bindings. What it allows in a namespace shows that it has.
const loadingLimit = 30 * time.Second

// loading remembers when the API server last failed: its refusals are not final
// for a while after it. What was refused without that is, also later on.
type loading struct {
	failed  atomic.Pointer[time.Time]
	refused sync.Map // method and path
}

// waits reports whether an answer is a refusal that may pass, and is worth a pause.
func (l *loading) waits(req *http.Request, resp *http.Response, pause time.Duration) bool {
	if resp == nil || resp.StatusCode != http.StatusForbidden {
		return false
	}
	key := req.Method + " " + req.URL.Path
	if _, known := l.refused.Load(key); !known && l.mayPass(pause) {
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

// noteAnswer ends the wait where a request to something in a namespace that was sent
// after the fault is answered well: that takes all four kinds of RBAC objects. A
// connection to another server begins with another fault.
func (l *loading) noteAnswer(req *http.Request, resp *http.Response, sent time.Time) {
	failed := l.failed.Load()
	if failed == nil || resp == nil || resp.StatusCode >= http.StatusMultipleChoices || !sent.After(*failed) || !inNamespace(req.URL.Path) {
		return
	}
	l.failed.CompareAndSwap(failed, nil)
}

// inNamespace reports whether a path is of objects in a namespace, not of the
// Namespace itself: /api/v1/namespaces/NAME/RESOURCE.
func inNamespace(path string) bool {
	_, rest, found := strings.Cut(path, "/namespaces/")
	return found && strings.Contains(rest, "/")
}

// mayPass reports whether what is refused now may still be allowed after a pause.
func (l *loading) mayPass(pause time.Duration) bool {
	failed := l.failed.Load()
	return failed != nil && time.Since(*failed)+pause <= loadingLimit
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
// without a pause.
func (c *Conn) AwaitRights(ctx context.Context) bool {
	return c.loading != nil && c.loading.mayPass(longestPause) && sleep(ctx, longestPause) == nil
}
