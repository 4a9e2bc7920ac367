package measure

import (
	"strings"
	"testing"
	"time"
)

func TestChain(t *testing.T) {
	zero := time.Unix(0, 0)
	span := func(name string, start, end int) Span {
		return Span{name, zero.Add(time.Duration(start)), zero.Add(time.Duration(end))}
	}
	for name, c := range map[string]struct {
		spans []Span
		want  string
	}{
		"none":              {nil, ""},
		"one":               {[]Span{span("a", 0, 9)}, "a"},
		"side by side":      {[]Span{span("a", 0, 5), span("b", 1, 6), span("c", 2, 7)}, "a"},
		"one by one":        {[]Span{span("b", 5, 9), span("a", 0, 5)}, "a b"},
		"a long one beside": {[]Span{span("long", 0, 30), span("a", 0, 9), span("b", 10, 19), span("c", 20, 29)}, "a b c"},
		"the better branch": {[]Span{span("a", 0, 9), span("x", 3, 14), span("b", 10, 13), span("c", 15, 20)}, "a b c"},
	} {
		t.Run(name, func(t *testing.T) {
			var names []string
			for _, one := range Chain(c.spans) {
				names = append(names, one.Name)
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("chain %q, want %q", got, c.want)
			}
		})
	}
}
