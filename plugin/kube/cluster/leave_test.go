package cluster

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestLeave: what a request is blocked in may know no context, and is left.
func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := leave{tripFunc(func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Minute)
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		})}
		ask := func(patience time.Duration) (*http.Response, error) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api", nil)
			if err != nil {
				t.Fatal(err)
			}
			return slow.RoundTrip(req)
		}
		began := time.Now()
		if _, err := ask(time.Second); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if resp, err := ask(time.Hour); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%v, %v", resp, err)
		}
		time.Sleep(time.Minute) // what was left ends by itself
	})
}

type tripFunc func(*http.Request) (*http.Response, error)

func (f tripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
