package bucket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func TestEmpty(t *testing.T) {
	for _, plain := range []bool{false, true} {
		for page := 1; page <= 12; page++ {
			s := newShelf(t, history()...)
			s.page, s.plain = page, plain
			var told []int64
			if err := Empty(t.Context(), s, target(), false, func(n int64) { told = append(told, n) }); err != nil {
				t.Fatal(err)
			}
			if len(s.items) > 0 || !slices.IsSorted(told) || told[len(told)-1] != int64(len(history())) {
				t.Errorf("page of %d: left %v, told %v", page, s.items, told)
			}
			before := len(s.asked)
			if err := Empty(t.Context(), s, target(), false, nil); err != nil || len(s.asked) != before+1 {
				t.Errorf("once more: %v, asked %v", err, s.asked[before:])
			}
		}
	}
}

func TestEmptyInBatches(t *testing.T) {
	s := newShelf(t, many("k", 2500)...)
	var last int64
	if err := Empty(t.Context(), s, target(), false, func(n int64) { last = n }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(s.batch)
	if !slices.Equal(s.batch, []int{500, 1000, 1000}) || last != 2500 || len(s.items) != 0 || len(s.asked) != 3+3+1 {
		t.Errorf("batches %v, told %d, left %d, asked %v", s.batch, last, len(s.items), s.asked)
	}
	// Some S3s give longer pages than a batch may be.
	s = newShelf(t, many("k", 2500)...)
	s.page = 5000
	if err := Empty(t.Context(), s, target(), false, nil); err != nil || len(s.items) != 0 {
		t.Errorf("%v, left %d", err, len(s.items))
	}
}

func TestEmptyOnlyOurs(t *testing.T) {
	s := newShelf(t, history()...)
	if err := Empty(t.Context(), s, target(), true, nil); err != nil {
		t.Fatal(err)
	}
	c, err := Count(t.Context(), s, target())
	if want := (Contents{Objects: 4, Versions: 2, DeleteMarkers: 2, Bytes: 157}); err != nil || c != want {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestEmptyRunsAFewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, many("k", 80)...)
		s.page = 10
		now, most := 0, 0
		s.before = func(call string, _ int) error {
			if call != "DeleteObjects" {
				return nil
			}
			s.mu.Lock()
			now++
			most = max(most, now)
			s.mu.Unlock()
			time.Sleep(time.Second)
			s.mu.Lock()
			now--
			s.mu.Unlock()
			return nil
		}
		began := time.Now()
		if err := Empty(t.Context(), s, target(), false, nil); err != nil || most != maxAtOnce || time.Since(began) > 3*time.Second {
			t.Errorf("%v: %d at once, %s", err, most, time.Since(began))
		}
	})
}

// S3 answers a batch with 200 and asks to try some keys again.
func TestEmptyTriesKeysAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, many("k", 10)...)
		s.refuse = func(item entry, try int) string {
			if strings.HasSuffix(item.key, "3") && try < 4 {
				return []string{"SlowDown", "InternalError", "ServiceUnavailable"}[try-1]
			}
			return ""
		}
		var told []int64
		if err := Empty(t.Context(), s, target(), false, func(n int64) { told = append(told, n) }); err != nil || len(s.items) != 0 {
			t.Errorf("%v, left %v", err, s.items)
		}
		if !slices.Equal(s.batch, []int{10, 1, 1, 1}) || !slices.Equal(told, []int64{9, 10}) {
			t.Errorf("batches %v, told %v", s.batch, told)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s, began := newShelf(t, many("k", 2)...), time.Now()
		s.refuse = func(entry, int) string { return "InternalError" }
		err := Empty(t.Context(), s, target(), false, nil)
		wantProblem(t, err, problem.Failed, "2 of the objects", `"k000000" (InternalError`, "run the same command again")
		if took := time.Since(began); took > 10*time.Second || len(s.batch) != maxTries {
			t.Errorf("%s, batches %v", took, s.batch)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s, began := newShelf(t, many("k", 2)...), time.Now()
		s.refuse = func(entry, int) string { return "SlowDown" }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := Empty(ctx, s, target(), false, nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// Another run is faster: S3 mostly says nothing about it, others do.
func TestEmptyRaced(t *testing.T) {
	s := newShelf(t, many("k", 4)...)
	s.refuse = func(item entry, _ int) string {
		at := slices.Index(s.items, item)
		s.items = slices.Delete(s.items, at, at+1)
		return map[string]string{"k000000": "NoSuchKey", "k000001": "NoSuchVersion"}[item.key]
	}
	if err := Empty(t.Context(), s, target(), false, nil); err != nil || len(s.items) != 0 {
		t.Errorf("%v, left %v", err, s.items)
	}
}

// What is protected stays and is named; all else goes.
func TestEmptyNamesWhatStays(t *testing.T) {
	s := newShelf(t, append(many("k", 1500), object("locked\r"))...)
	s.refuse = func(item entry, _ int) string {
		if strings.HasSuffix(item.key, "99") || item.key == "locked\r" {
			return "AccessDenied"
		}
		return ""
	}
	err := Empty(t.Context(), s, target(), false, nil)
	wantProblem(t, err, problem.Failed, "16 of the objects and versions in bucket demo-bucket were not deleted",
		`"k000099" (AccessDenied: AccessDenied it is), "k000199"`, "and 13 more",
		"s3:DeleteObjectVersion on arn:aws:s3:::demo-bucket/*", "Object Lock")
	if !awserr.Denied(err) || len(s.items) != 16 {
		t.Errorf("denied %v, left %d", awserr.Denied(err), len(s.items))
	}
}

func TestEmptyFails(t *testing.T) {
	for _, c := range []struct {
		name, call, code string
		words            []string
	}{
		{"versions may not be listed", "ListObjectVersions", "AccessDenied", []string{"s3:ListBucketVersions on arn:aws:s3:::demo-bucket"}},
		{"nothing may be deleted", "DeleteObjects", "AccessDenied", []string{"s3:DeleteObjectVersion on arn:aws:s3:::demo-bucket/*"}},
		{"odd", "DeleteObject", "Odd", []string{"s3:DeleteObjectVersion on arn:aws:s3:::demo-bucket/*"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShelf(t, history()...)
			s.before = func(call string, _ int) error {
				if call == c.call {
					return apiError(c.code, "")
				}
				return nil
			}
			wantProblem(t, Empty(t.Context(), s, target(), false, nil), problem.Failed, c.words...)
		})
	}
}

func TestEmptyOfWhatIsGone(t *testing.T) {
	for _, gone := range []string{"ListObjectVersions", "DeleteObjects", "DeleteObject"} {
		s := newShelf(t, history()...)
		s.before = func(call string, _ int) error {
			if call == gone {
				return apiError("NoSuchBucket", "The specified bucket does not exist")
			}
			return nil
		}
		if err := Empty(t.Context(), s, target(), false, nil); err != nil {
			t.Errorf("%s: %v", gone, err)
		}
	}
}

// An app that still writes is not emptied after for ever.
func TestEmptyOfWhatFillsUp(t *testing.T) {
	s := newShelf(t)
	s.before = func(call string, try int) error {
		if call == "ListObjectVersions" {
			s.mu.Lock()
			s.items = append(s.items, object(fmt.Sprint("new", try)))
			s.mu.Unlock()
		}
		return nil
	}
	err := Empty(t.Context(), s, target(), false, nil)
	wantProblem(t, err, problem.Failed, "something writes to it")
	if !errors.Is(err, ErrNotEmpty) || s.tries["ListObjectVersions"] != maxPasses {
		t.Errorf("%v after %v", err, s.asked)
	}
}

func TestEmptyInterrupted(t *testing.T) {
	s := newShelf(t, many("k", 200)...)
	s.page = 10
	ctx, cancel := context.WithCancel(t.Context())
	err := Empty(ctx, s, target(), false, func(int64) { cancel() })
	if !errors.Is(err, context.Canceled) || s.tries["DeleteObjects"] > maxAtOnce+1 {
		t.Errorf("%v after %v", err, s.asked)
	}
	if err := Empty(t.Context(), s, target(), false, nil); err != nil || len(s.items) != 0 {
		t.Errorf("gone on: %v, left %d", err, len(s.items))
	}
}
