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
// loaded all Roles and bindings. It is also how long one request waits for it, however
// many faults come meanwhile.
const loadingLimit = 30 * time.Second

// loading remembers when the API server last failed: its refusals are not final
// for a while after it. What was refused without that is, also later on, and so is
// what is refused once the server has shown that it has loaded what it needs.
type loading struct {
	failed  atomic.Pointer[time.Time]
	loaded  [2]atomic.Pointer[time.Time] // by scope, when the last request that was allowed had been sent
	refused sync.Map                     // method and path
}

// The scopes. A request that is allowed in a namespace shows that all four kinds of
// RBAC objects are loaded; any other one, discovery included, shows it of ClusterRoles
// and their bindings, which is all that a cluster-wide request needs.
const (
	clusterWide = iota
	inNamespace
)

// scopeOf is the scope of a path: objects in a namespace are below
// /api/v1/namespaces/NAME/, the Namespace itself is not.
func scopeOf(path string) int {
	_, rest, found := strings.Cut(path, "/namespaces/")
	if found && strings.Contains(rest, "/") {
		return inNamespace
	}
	return clusterWide
}

// waits reports whether an answer is a refusal that may pass, and is worth a pause:
// began is when the request was first sent.
func (l *loading) waits(req *http.Request, resp *http.Response, began time.Time, pause time.Duration) bool {
	if resp == nil || resp.StatusCode != http.StatusForbidden {
		return false
	}
	key := req.Method + " " + req.URL.Path
	_, known := l.refused.Load(key)
	if !known && time.Since(began)+pause <= loadingLimit && l.mayPass(scopeOf(req.URL.Path), pause) {
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

// noteAnswer notes a request that was allowed, and when it was sent.
func (l *loading) noteAnswer(req *http.Request, resp *http.Response, sent time.Time) {
	if resp == nil || resp.StatusCode >= http.StatusMultipleChoices {
		return
	}
	l.loaded[scopeOf(req.URL.Path)].Store(&sent)
}

// mayPass reports whether what is refused in a scope now may still be allowed after a
// pause.
func (l *loading) mayPass(scope int, pause time.Duration) bool {
	failed := l.failed.Load()
	if failed == nil || time.Since(*failed)+pause > loadingLimit {
		return false
	}
	for ; scope < len(l.loaded); scope++ { // what shows it of a namespace shows it of the cluster
		if allowed := l.loaded[scope].Load(); allowed != nil && allowed.After(*failed) {
			return false
		}
	}
	return true
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
// without a pause. The right is one in a namespace, or cluster-wide; began is when it
// was first asked for.
func (c *Conn) AwaitRights(ctx context.Context, namespaced bool, began time.Time) bool {
	scope := clusterWide
	if namespaced {
		scope = inNamespace
	}
	if c.loading == nil || time.Since(began)+longestPause > loadingLimit || !c.loading.mayPass(scope, longestPause) {
		return false
	}
	return sleep(ctx, longestPause) == nil
}
