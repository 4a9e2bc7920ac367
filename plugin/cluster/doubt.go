package cluster

import (
	"context"
	"net/http"
	"sync/atomic"
)

type doubtKey struct{}

// InDoubt gives a context for a request that is not the same a second time, and
// a function that says, when the request is over, whether an earlier try of it
// may have been carried out although no answer came, or an error. That
// something is there already may then be our own doing.
func InDoubt(ctx context.Context) (context.Context, func() bool) {
	doubted := new(atomic.Bool)
	return context.WithValue(ctx, doubtKey{}, doubted), doubted.Load
}

// doubt notes a try that may have been carried out. Who asks for less at a time
// (429) has done nothing.
func doubt(ctx context.Context, resp *http.Response, err error) {
	doubted, wanted := ctx.Value(doubtKey{}).(*atomic.Bool)
	if wanted && (err != nil || resp.StatusCode != http.StatusTooManyRequests) {
		doubted.Store(true)
	}
}
