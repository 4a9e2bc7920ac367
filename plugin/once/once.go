// Package once asks each question once, also if several ask it at the same time. It
// knows nothing of what is asked.
package once

import (
	"context"
	"sync"
)

// Answer is the answer to one question. The zero value is a question that has not been
// asked. A caller whose context ends stops waiting; if it was the one that asked, the
// next caller asks again: callers share a question, and each may end its own context,
// for example when another of its questions fails.
type Answer[T any] struct {
	ready sync.Once
	turn  chan struct{} // holds a token while somebody asks
	known bool
	value T
	err   error
}

// Get returns the answer, and asks if there is none yet. An error is an answer, too.
func (a *Answer[T]) Get(ctx context.Context, ask func() (T, error)) (T, error) {
	return a.Keep(ctx, func(error) bool { return true }, ask)
}

// Value is Get, except that an error is no answer: the next caller asks again.
func (a *Answer[T]) Value(ctx context.Context, ask func() (T, error)) (T, error) {
	return a.Keep(ctx, func(error) bool { return false }, ask)
}

// Keep is Get, except that an error is an answer only if isAnswer says so.
func (a *Answer[T]) Keep(ctx context.Context, isAnswer func(error) bool, ask func() (T, error)) (T, error) {
	a.ready.Do(a.open)
	select {
	case a.turn <- struct{}{}: // nobody asks: what is known is given to every caller
	default:
		select {
		case a.turn <- struct{}{}:
		case <-ctx.Done():
			var none T
			return none, context.Cause(ctx)
		}
	}
	defer func() { <-a.turn }()
	if !a.known {
		a.value, a.err = ask()
		a.known = a.err == nil || ctx.Err() == nil && isAnswer(a.err)
	}
	return a.value, a.err
}

// Set notes an answer that is known without asking.
func (a *Answer[T]) Set(value T, err error) {
	defer a.lock()()
	a.value, a.err, a.known = value, err, true
}

// Known returns the answer, and whether there is one. If somebody is asking, it waits.
func (a *Answer[T]) Known() (T, bool) {
	defer a.lock()()
	return a.value, a.known
}

// lock waits until nobody asks, and returns what lets the next one ask.
func (a *Answer[T]) lock() (unlock func()) {
	a.ready.Do(a.open)
	a.turn <- struct{}{}
	return func() { <-a.turn }
}

func (a *Answer[T]) open() { a.turn = make(chan struct{}, 1) }

// Answers are answers by what they are about. The zero value has none.
type Answers[K comparable, T any] struct {
	mu  sync.Mutex
	all map[K]*Answer[T]
}

// Of is the answer about key.
func (a *Answers[K, T]) Of(key K) *Answer[T] {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = map[K]*Answer[T]{}
	}
	if a.all[key] == nil {
		a.all[key] = &Answer[T]{}
	}
	return a.all[key]
}

// Forget drops all answers: each question is asked again.
func (a *Answers[K, T]) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = nil
}
