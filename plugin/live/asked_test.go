package live

import (
	"context"
	"errors"
	"testing"
)

// TestAskedAgain: an answer is kept, an error too, but not what a caller got because its
// own context ended.
func TestAskedAgain(t *testing.T) {
	refused := errors.New("refused")
	ended, end := context.WithCancel(t.Context())
	end()
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		asks int
	}{
		"a value":                 {t.Context(), nil, 1},
		"an error":                {t.Context(), refused, 1},
		"the caller ended":        {ended, ended.Err(), 2},
		"ended, translated error": {ended, refused, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var a askedOf[string, int]
			asks := 0
			first := func() (int, error) { asks++; return asks, c.err }
			if _, err := a.get(c.ctx, "x", first); !errors.Is(err, c.err) {
				t.Fatal(err)
			}
			got, err := a.get(t.Context(), "x", func() (int, error) { asks++; return asks, nil })
			if asks != c.asks || c.asks == 2 && (got != 2 || err != nil) || c.asks == 1 && !errors.Is(err, c.err) {
				t.Errorf("asked %d times: %d, %v", asks, got, err)
			}
		})
	}
}
