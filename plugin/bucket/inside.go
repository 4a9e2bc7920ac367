package bucket

import "context"

// Inside is what one bounded look into a bucket found.
type Inside struct {
	Contents *Contents // nil if it could not be counted
	More     bool      // there is more than was counted
	Err      error     // why it could not be counted, explained (*problem.Error)
}

// LookInside counts what is in a bucket with at most two requests, of 1,000 things each:
// enough for somebody who is about to decide what happens to it.
func LookInside(ctx context.Context, api Lister, t Target) Inside {
	const requests = 2
	contents, more, err := CountSome(ctx, api, t, requests)
	if err != nil {
		return Inside{Err: err}
	}
	return Inside{Contents: &contents, More: more}
}

// Empty reports whether the bucket certainly holds no object that a reader could be
// shown: older versions and what verify wrote are none.
func (i Inside) Empty() bool { return i.Contents != nil && !i.More && i.Contents.Objects == 0 }
