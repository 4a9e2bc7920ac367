package apply

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// sleeper waits, or gives up early with the context's error.
type sleeper func(ctx context.Context, d time.Duration) error

func sleepContext(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// How often a request is repeated: 0.1 s, 0.2 s ... 3.2 s apart, 6.3 s in all.
// Where the server names a delay, client-go has already repeated the request
// ten times with that delay (rest/with_retry.go), so once more is enough.
const (
	maxRetries        = 6
	maxRetriesDelayed = 1
	firstDelay        = 100 * time.Millisecond
)

// retry repeats a call while its failure is one that passes. client-go itself
// repeats only answers that carry Retry-After, and reads whose connection
// broke; our writes may be repeated, too, because an apply and a delete with
// preconditions do the same a second time.
func (a *Applier) retry(ctx context.Context, call func() error) error {
	delay := firstDelay
	for n := 0; ; n++ {
		err := call()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ended(ctx, err)
		}
		limit, wait := maxRetries, delay
		if s, ok := apierrors.SuggestsClientDelay(err); ok && s > 0 {
			limit, wait = maxRetriesDelayed, max(delay, time.Duration(s)*time.Second)
		}
		if n >= limit || !transient(err) {
			return err
		}
		if a.sleep(ctx, wait) != nil {
			return ended(ctx, err)
		}
		delay *= 2
	}
}

// ended is the error of a call whose context is over: the server's answer if
// it is final, else that the context is over (client-go does not always say).
func ended(ctx context.Context, err error) error {
	var status apierrors.APIStatus
	if errors.As(err, &status) && !transient(err) || errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w; before that: %v", ctx.Err(), err)
}

// transient reports whether a failure passes: a broken or refused connection,
// an overloaded or restarting server, a race with another writer.
func transient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		switch code := status.Status().Code; {
		case code == http.StatusTooManyRequests, code == http.StatusInternalServerError,
			code == http.StatusBadGateway, code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout:
			return true
		case code == http.StatusConflict:
			return len(conflictsOf(err)) == 0
		}
		return false
	}
	var timeout net.Error
	return utilnet.IsConnectionReset(err) || utilnet.IsConnectionRefused(err) || utilnet.IsProbableEOF(err) ||
		utilnet.IsHTTP2ConnectionLost(err) || errors.As(err, &timeout) && timeout.Timeout()
}
