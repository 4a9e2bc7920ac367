// Package interrupt ends a pause, and the wait for work that takes no context, such as
// Helm, kustomize and the reading of files, when a context ends. It knows nothing of
// that work, of signals or of printing.
package interrupt

import (
	"context"
	"time"
)

// Sleep waits, or returns the cause that ctx ended with as soon as it ends.
func Sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Run returns what work returns. If ctx ends before work does, Run gives work the time
// tidy to end and to remove what it wrote, and returns the cause that ctx ended with;
// work that takes longer is abandoned and ends with the process. The end of ctx
// always wins: what work returns after it is dropped, an error included.
//
// Work may outlive its caller. It must not print anything, and must not read or write
// what the caller changes afterwards.
func Run[T any](ctx context.Context, tidy time.Duration, work func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	done := make(chan result, 1) // abandoned work does not wait for a reader
	go func() {
		value, err := work()
		done <- result{value, err}
	}()
	select {
	case got := <-done:
		if ctx.Err() == nil {
			return got.value, got.err
		}
	case <-ctx.Done():
		select {
		case <-done:
		case <-time.After(tidy):
		}
	}
	return none, context.Cause(ctx)
}
