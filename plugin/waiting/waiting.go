// Package waiting reports to a person what a run waits for, if the wait is longer than a few
// seconds. The context carries who is told, as it carries the trace of
// net/http/httptrace. It ends nothing and knows nothing of what is waited for.
package waiting

import (
	"context"
	"sync"
	"time"
)

// Patience is how long a wait lasts before it is reported.
const Patience = 3 * time.Second

// Person is who is told.
type Person struct {
	// Patience is how long a wait lasts before they are told.
	Patience time.Duration
	// Present says that they are at a terminal, and can answer a program that asks them.
	Present bool
	// Tell is called once for each thing that is waited for. It may be called from several
	// goroutines, but never by two at the same time.
	Tell func(what string)
}

// With has a person told what a run with this context waits for.
func With(ctx context.Context, who Person) context.Context {
	return context.WithValue(ctx, listenerKey{}, &listener{who: who, told: map[string]bool{}})
}

// Attended reports whether somebody can answer a program that asks.
func Attended(ctx context.Context) bool {
	to, _ := ctx.Value(listenerKey{}).(*listener)
	return to != nil && to.who.Present
}

// For notes that what is waited for until done is called. Within a wait that has begun
// earlier it says more exactly what that one waits for: the patience is that of the first.
func For(ctx context.Context, what string) (inner context.Context, done func()) {
	to, _ := ctx.Value(listenerKey{}).(*listener)
	if to == nil {
		return ctx, func() {}
	}
	if outer, _ := ctx.Value(waitKey{}).(*wait); outer != nil {
		return ctx, outer.push(what)
	}
	w := &wait{}
	pop := w.push(what)
	timer := time.AfterFunc(to.who.Patience, func() { w.over(to) })
	return context.WithValue(ctx, waitKey{}, w), func() {
		timer.Stop()
		pop()
	}
}

type (
	listenerKey struct{}
	waitKey     struct{}
)

type listener struct {
	who Person

	mu   sync.Mutex
	told map[string]bool
}

func (l *listener) hear(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.told[what] {
		l.told[what] = true
		l.who.Tell(what)
	}
}

// wait is one wait of a run, and what it is for: the last that has not ended.
type wait struct {
	mu    sync.Mutex
	whats []*string
}

// push notes what is waited for, until pop is called.
func (w *wait) push(what string) (pop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whats = append(w.whats, &what)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for n, one := range w.whats {
			if one == &what {
				w.whats = append(w.whats[:n], w.whats[n+1:]...)
				return
			}
		}
	}
}

// over tells what is waited for now.
func (w *wait) over(to *listener) {
	w.mu.Lock()
	what := ""
	if n := len(w.whats); n > 0 {
		what = *w.whats[n-1]
	}
	w.mu.Unlock()
	if what != "" {
		to.hear(what)
	}
}
