package plugin

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
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
			talk := ui.New(io.Discard, ui.Style{}, time.Now)
			s := &shelf{contents: c.contents}
			u := &uninstall{App: &App{&session.Session{UI: talk}}, removal: &apply.Removal{}, buckets: s, board: talk.Board()}
			l := &line{fate: fateRemoved}
			if err := u.removeBucket(t.Context(), l); err != nil || s.removed != c.removed || l.done != c.removed {
				t.Errorf("removed %t, done %t, %v", s.removed, l.done, err)
			}
			if !c.removed && s.emptied {
				t.Error("something was deleted from a bucket that stays")
			}
		})
	}
}
