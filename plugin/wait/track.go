package wait

import "time"

// tracker remembers the State each object was last told to be in.
type tracker struct {
	observe func(State)
	last    map[string]tracked
}

type tracked struct {
	code  string
	since time.Time
	state State
}

func newTracker(observe func(State)) *tracker {
	if observe == nil {
		observe = func(State) {}
	}
	return &tracker{observe: observe, last: map[string]tracked{}}
}

// update takes an object's State, lets what has lasted too long become what
// it then is, and tells it if it is new.
func (t *tracker) update(s State, now time.Time) State {
	id := s.Kind + "/" + s.Name
	was, seen := t.last[id]
	code := s.Code
	if code == "" {
		code = s.Text
	}
	since := now
	if seen && was.code == code {
		since = was.since
	}
	for s.Late != nil && now.Sub(since) >= s.After {
		late := *s.Late
		late.Kind, late.Name = s.Kind, s.Name
		s = late
	}
	s.Since = since
	t.last[id] = tracked{code, since, s}
	if !s.Silent && (!seen || was.state.Silent || !same(s, was.state)) {
		t.observe(s)
	}
	return s
}

// tell is update for what is no target: it is told, but not waited for.
func (t *tracker) tell(s State, now time.Time) { t.update(s, now) }

func same(a, b State) bool {
	return a.Text == b.Text && a.Ready == b.Ready && a.Level == b.Level && a.Hint == b.Hint && a.URL == b.URL
}

// failed are the States that will not pass.
func (t *tracker) failed() []State {
	var out []State
	for _, tr := range t.last {
		if tr.state.Level == Fail {
			out = append(out, tr.state)
		}
	}
	return out
}

// all are the States that are known of these, in their order.
func (t *tracker) all(ids []string) []State {
	var out []State
	for _, id := range ids {
		if tr, ok := t.last[id]; ok {
			out = append(out, tr.state)
		}
	}
	return out
}

// ids are the targets in the order in which they are told.
func (t Targets) ids() []string {
	var out []string
	add := func(kind string, names ...string) {
		for _, n := range names {
			if n != "" {
				out = append(out, kind+"/"+n)
			}
		}
	}
	add("Bucket", t.Bucket)
	add("PersistentVolumeClaim", t.PVC)
	add("Deployment", t.Deployments...)
	add("Route", t.Route)
	add("Ingress", t.Ingress)
	return out
}
