package measure

import (
	"cmp"
	"slices"
	"time"
)

// Span is the life of one request, seen from the server's side.
type Span struct {
	Name       string // method and path
	Start, End time.Time
}

// Chain is the longest row of requests of which each began after the one before
// it had ended: what has to wait for what, at most. Requests that overlap did not
// wait for each other. Of all rows of that length it is the one that ends first.
func Chain(spans []Span) []Span {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b Span) int {
		return cmp.Or(a.End.Compare(b.End), a.Start.Compare(b.Start))
	})
	var chain []Span
	for _, span := range spans {
		if len(chain) == 0 || !span.Start.Before(chain[len(chain)-1].End) {
			chain = append(chain, span)
		}
	}
	return chain
}

// Length is the time that the requests of a chain took, the pauses between them
// left out.
func Length(chain []Span) time.Duration {
	var sum time.Duration
	for _, span := range chain {
		sum += span.End.Sub(span.Start)
	}
	return sum
}
