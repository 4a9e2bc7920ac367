package once

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestAskedAgain: an answer is kept, an error as the caller wants it, but not what a
// caller got because its own context ended.
func TestAskedAgain(t *testing.T) {
	refused := errors.New("refused")
	ended, end := context.WithCancel(t.Context())
	end()
	get, value := (*Answer[int]).Get, (*Answer[int]).Value
	for name, c := range map[string]struct {
		how  func(*Answer[int], context.Context, func() (int, error)) (int, error)
		ctx  context.Context
		err  error
		asks int
	}{
		"a value":                 {get, t.Context(), nil, 1},
		"an error":                {get, t.Context(), refused, 1},
		"a value, no error":       {value, t.Context(), nil, 1},
		"an error is none":        {value, t.Context(), refused, 2},
		"ended, a value":          {get, ended, nil, 1},
		"the caller ended":        {get, ended, context.Canceled, 2},
		"ended, translated error": {get, ended, refused, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var all Answers[string, int]
			asks := 0
			if _, err := c.how(all.Of("x"), c.ctx, func() (int, error) { asks++; return asks, c.err }); !errors.Is(err, c.err) {
				t.Fatal(err)
			}
			got, err := c.how(all.Of("x"), t.Context(), func() (int, error) { asks++; return asks, nil })
			if asks != c.asks || c.asks == 2 && (got != 2 || err != nil) || c.asks == 1 && !errors.Is(err, c.err) {
				t.Errorf("asked %d times: %d, %v", asks, got, err)
			}
			_, known := all.Of("y").Known()
			if one, is := all.Of("x").Known(); known || !is || one != got && c.asks == 2 {
				t.Errorf("known: %v %v %d", known, is, one)
			}
			all.Forget()
			if _, is := all.Of("x").Known(); is {
				t.Error("it is known after Forget")
			}
		})
	}
}

// TestTogether: many ask at the same time, one of them for all; one whose context ends
// stops waiting and takes the answer from nobody.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a Answer[int]
		asks := 0
		ask := func() (int, error) { asks++; time.Sleep(time.Minute); return 7, nil }
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if got, err := a.Get(t.Context(), ask); got != 7 || err != nil {
					t.Errorf("%d, %v", got, err)
				}
			})
		}
		why := errors.New("enough")
		group.Go(func() {
			time.Sleep(time.Second)
			ctx, end := context.WithCancelCause(t.Context())
			end(why)
			if _, err := a.Get(ctx, ask); !errors.Is(err, why) {
				t.Errorf("a context that ended: %v", err)
			}
		})
		group.Wait()
		if asks != 1 {
			t.Errorf("asked %d times", asks)
		}
		a.Set(8, nil)
		if got, _ := a.Get(t.Context(), ask); got != 8 || asks != 1 {
			t.Errorf("after Set: %d, asked %d times", got, asks)
		}
	})
}

// TestKeep: which errors are answers is the caller's to say.
func TestKeep(t *testing.T) {
	denied, away := errors.New("denied"), errors.New("away")
	for err, want := range map[error]int{denied: 1, away: 2} {
		var a Answer[int]
		asks := 0
		for range 2 {
			_, got := a.Keep(t.Context(), func(e error) bool { return e == denied }, func() (int, error) { asks++; return 0, err })
			if !errors.Is(got, err) {
				t.Error(got)
			}
		}
		if asks != want {
			t.Errorf("%v: asked %d times", err, asks)
		}
	}
}
