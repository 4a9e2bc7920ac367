package live

import (
	"context"
	"sync"
)

// asked is the answer to one question, asked at most once. An error is an answer like a
// value, unless the context of the caller that asked ended: several callers share one
// question, and each may end its own context, for example when another of its questions
// fails. Then the next caller asks again.
type asked[T any] struct {
	mu       sync.Mutex
	answered bool
	value    T
	err      error
}

func (a *asked[T]) get(ctx context.Context, ask func() (T, error)) (T, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.answered {
		a.value, a.err = ask()
		a.answered = a.err == nil || ctx.Err() == nil
	}
	return a.value, a.err
}

// answer is the answer, and whether there is one yet.
func (a *asked[T]) answer() (T, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.value, a.answered
}

// askedOf are answers by what they are about.
type askedOf[K comparable, T any] struct {
	mu  sync.Mutex
	all map[K]*asked[T]
}

func (a *askedOf[K, T]) get(ctx context.Context, key K, ask func() (T, error)) (T, error) {
	a.mu.Lock()
	if a.all == nil {
		a.all = map[K]*asked[T]{}
	}
	one := a.all[key]
	if one == nil {
		one = &asked[T]{}
		a.all[key] = one
	}
	a.mu.Unlock()
	return one.get(ctx, ask)
}
