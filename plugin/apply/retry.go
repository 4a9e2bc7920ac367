package apply

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
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

// How often a change is made anew: 0.1 s, 0.2 s ... 3.2 s apart, 6.3 s in all.
const (
	maxRetries = 6
	firstDelay = 100 * time.Millisecond
)

// retry makes a change anew while another writer is faster: an object that was
// modified since it was read, or made while it was being made. call reads anew
// what it needs. Requests that the server could not deal with, or whose answer
// was lost, are repeated by package cluster.
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
		if n >= maxRetries || !raced(err) {
			return err
		}
		if a.sleep(ctx, delay) != nil {
			return ended(ctx, err)
		}
		delay *= 2
	}
}

// ended is the error of a call whose context is over: the server's answer if
// it is final, else that the context is over (client-go does not always say).
func ended(ctx context.Context, err error) error {
	var status apierrors.APIStatus
	if errors.As(err, &status) && final(status.Status().Code) && !raced(err) || errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w; before that: %v", ctx.Err(), err)
}

// final reports whether a server that answers so would not answer otherwise a
// moment later.
func final(code int32) bool {
	return code < http.StatusInternalServerError && code != http.StatusTooManyRequests
}

// raced reports whether another writer was faster. That fields are another
// manager's is no race: it does not pass.
func raced(err error) bool {
	return (apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err)) && len(conflictsOf(err)) == 0
}
