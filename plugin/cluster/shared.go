package cluster

import (
	"context"
	"sync"
)

// shared is an answer that is asked for once, however many want it and
// whenever they come. A failure is not kept: the next caller asks again.
type shared[T any] struct {
	turn  chan struct{} // holds one token while somebody asks
	value *T
}

func newShared[T any]() *shared[T] { return &shared[T]{turn: make(chan struct{}, 1)} }

// get gives the answer, asking if nobody has. A caller whose context ends
// stops waiting; it does not take the answer away from the others.
func (s *shared[T]) get(ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	var zero T
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return zero, context.Cause(ctx)
	}
	defer func() { <-s.turn }()
	if s.value != nil {
		return *s.value, nil
	}
	value, err := ask(ctx)
	if err != nil {
		return zero, err
	}
	s.value = &value
	return value, nil
}

// sharedMap is shared by key.
type sharedMap[K comparable, T any] struct {
	mu  sync.Mutex
	all map[K]*shared[T]
}

func (m *sharedMap[K, T]) at(key K) *shared[T] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil {
		m.all = map[K]*shared[T]{}
	}
	if m.all[key] == nil {
		m.all[key] = newShared[T]()
	}
	return m.all[key]
}

func (m *sharedMap[K, T]) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = nil
}
