package uninstall

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// shelf is a bucket that something is written into while it is removed.
type shelf struct {
	contents bucket.Contents
	emptied  bool
	removed  bool
}

func (s *shelf) Look(context.Context, render.Facts) (bucket.State, error) { return bucket.State{}, nil }

func (s *shelf) Count(context.Context, bucket.Target) (bucket.Contents, error) {
	return s.contents, nil
}

func (s *shelf) Created(context.Context, bucket.Target) (time.Time, error) {
	return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), nil
}

func (s *shelf) Empty(_ context.Context, _ bucket.Target, onlyOurs bool, _ func(int64)) error {
	if !onlyOurs {
		return errors.New("data was to be deleted")
	}
	s.contents.Ours, s.emptied = 0, true
	return nil
}

func (s *shelf) Remove(context.Context, bucket.Target) error {
	if s.contents.Data() || s.contents.Ours > 0 {
		return bucket.ErrNotEmpty
	}
	s.removed = true
	return nil
}

// TestProofsKeepNoBucket: what a verify writes while the bucket is removed is
// nobody's data; what is anybody's keeps the bucket, untouched.
func TestProofsKeepNoBucket(t *testing.T) {
	for name, c := range map[string]struct {
		contents bucket.Contents
		removed  bool
	}{
		"empty":       {bucket.Contents{}, true},
		"proofs":      {bucket.Contents{Ours: 2}, true},
		"data":        {bucket.Contents{Objects: 1}, false},
		"both":        {bucket.Contents{Objects: 1, Ours: 2}, false},
		"cannot tell": {bucket.Contents{Ours: 2, Partial: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shelf{contents: c.contents}
			of := store{place{board: silent().Board()}, *removing(), s}
			l := &removal.Line{Fate: removal.Removed}
			if err := of.delete(t.Context(), l, resource{}); err != nil || s.removed != c.removed || l.Done != c.removed {
				t.Errorf("removed %t, done %t, %v", s.removed, l.Done, err)
			}
			if !c.removed && s.emptied {
				t.Error("something was deleted from a bucket that stays")
			}
		})
	}
}
