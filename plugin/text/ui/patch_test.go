package ui

import (
	"errors"
	"testing"
	"time"
)

const patch = "# why\ndiff a b\n--- a\n+++ b\n@@ -1,2 +1,2 @@\n same, oc ostoy-s3\n-old\n+new\n"

func TestPatchIsColouredLineByLine(t *testing.T) {
	got := talk(Style{Color: true}, func(u *UI) { _ = u.Patch(patch) })
	want := "\x1b[2m# why\x1b[0m\n\x1b[1mdiff a b\x1b[0m\n\x1b[1m--- a\x1b[0m\n\x1b[1m+++ b\x1b[0m\n\x1b[36m@@ -1,2 +1,2 @@\x1b[0m\n same, oc ostoy-s3\n\x1b[31m-old\x1b[0m\n\x1b[32m+new\x1b[0m\n"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// TestPatchIsData: without colours not a byte of it changes, not even our name,
// which talk writes as the user knows it.
func TestPatchIsData(t *testing.T) {
	if got := talk(Style{Command: "kubectl ostoy-s3"}, func(u *UI) { _ = u.Patch(patch) }); got != patch {
		t.Errorf("got %q", got)
	}
	gone := errors.New("the reader has gone")
	if err := New(refusing{gone}, Style{}, time.Now).Patch(patch); !errors.Is(err, gone) {
		t.Errorf("error %v", err)
	}
}

type refusing struct{ err error }

func (r refusing) Write([]byte) (int, error) { return 0, r.err }
