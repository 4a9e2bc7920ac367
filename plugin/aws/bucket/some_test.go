package bucket

import "testing"

func TestCountSome(t *testing.T) {
	for name, c := range map[string]struct {
		things, requests int
		objects          int64
		more             bool
	}{
		"empty":             {0, 1, 0, false},
		"one page":          {1000, 1, 1000, false},
		"one page and more": {1001, 1, 1000, true},
		"exactly enough":    {2000, 2, 2000, false},
		"much more":         {5000, 2, 2000, true},
	} {
		t.Run(name, func(t *testing.T) {
			api := newShelf(t, many("data/", c.things)...)
			got, more, err := CountSome(t.Context(), api, target(), c.requests)
			if err != nil || got.Objects != c.objects || more != c.more {
				t.Errorf("counted %d, more %v, error %v; want %d, %v", got.Objects, more, err, c.objects, c.more)
			}
		})
	}
}
