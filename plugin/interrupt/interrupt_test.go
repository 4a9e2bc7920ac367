package interrupt

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestRun(t *testing.T) {
	fault := errors.New("a fault")
	for name, work := range map[string]func() (int, error){
		"a value":  func() (int, error) { return 7, nil },
		"an error": func() (int, error) { return 7, fault },
	} {
		wantValue, wantErr := work()
		if value, err := Run(t.Context(), 0, work); value != wantValue || !errors.Is(err, wantErr) {
			t.Errorf("%s: %d, %v", name, value, err)
		}
	}
}

// Work that does not end is left when the context ends, or the time to tidy later.
func TestRunLeavesWork(t *testing.T) {
	for _, tidy := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			began, why := time.Now(), errors.New("why")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Hour, func() { cancel(why) })
			never := make(chan struct{})
			value, err := Run(ctx, tidy, func() (int, error) { <-never; return 7, nil })
			if took := time.Since(began); value != 0 || err != why || took != time.Hour+tidy {
				t.Errorf("%d, %v after %s", value, err, took)
			}
			close(never)
			synctest.Wait() // the abandoned work ends: nobody needs to read what it returns
		})
	}
}

// Work that ends while it is given the time to tidy is waited for no longer than that,
// and its error, which results from the same Ctrl-C, does not hide the end of the context.
func TestRunWaitsForTidyWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		tidied := false
		_, err := Run(ctx, time.Minute, func() (int, error) {
			<-ctx.Done()
			time.Sleep(time.Second)
			tidied = true
			return 0, errors.New("git: signal: interrupt")
		})
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || !tidied || took != time.Hour+time.Second {
			t.Errorf("%v, tidied %t, after %s", err, tidied, took)
		}
	})
}

// The end of the context wins over a result, and no work begins after it.
func TestRunAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if value, err := Run(ctx, 0, func() (int, error) { cancel(); return 7, nil }); value != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", value, err)
	}
	began := false
	if _, err := Run(ctx, 0, func() (int, error) { began = true; return 7, nil }); !errors.Is(err, context.Canceled) || began {
		t.Errorf("%v, began %t", err, began)
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := Sleep(t.Context(), time.Minute); err != nil || time.Since(began) != time.Minute {
			t.Errorf("a minute: %v after %s", err, time.Since(began))
		}
		why := errors.New("enough")
		ctx, end := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { end(why) })
		began = time.Now()
		if err := Sleep(ctx, time.Hour); !errors.Is(err, why) || time.Since(began) != time.Second {
			t.Errorf("an ended context: %v after %s", err, time.Since(began))
		}
	})
}
