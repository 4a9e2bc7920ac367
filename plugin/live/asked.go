package live

import "sync"

// asked is the answer to one question, put at most once. The error is as much
// of an answer as the value.
type asked[T any] struct {
	once  sync.Once
	value T
	err   error
}

func (a *asked[T]) get(ask func() (T, error)) (T, error) {
	a.once.Do(func() { a.value, a.err = ask() })
	return a.value, a.err
}

// askedOf are answers by what they are about.
type askedOf[K comparable, T any] struct {
	mu  sync.Mutex
	all map[K]*asked[T]
}

func (a *askedOf[K, T]) get(key K, ask func() (T, error)) (T, error) {
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
	return one.get(ask)
}
