package trouble_test

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// Exit codes, as README.md lists them.
const (
	done        = 0
	failed      = 1
	notReady    = 3
	refused     = 4
	interrupted = 130
)

// message is what an error must say, part by part. " … " stands for anything
// in between.
type message struct{ what, why, next string }

// told is one error as it was printed: what, why, and what to do.
type told struct{ what, why, next string }

// errorsIn takes the talk of a run apart. Lines of progress also begin with
// the mark; they have no parts and match no message.
func errorsIn(stderr string) []told {
	var all []told
	var part *string
	for line := range strings.Lines(stderr) {
		line = strings.TrimRight(line, "\n")
		text, indented := strings.CutPrefix(line, "  ")
		switch what, begins := strings.CutPrefix(line, "✗ "); {
		case begins:
			all = append(all, told{what: what})
			part = &all[len(all)-1].why
		case len(all) == 0 || !indented:
			part = nil
		case part == nil:
		case strings.HasPrefix(text, "more  "):
			part = nil
		case strings.HasPrefix(text, "try   "):
			part = &all[len(all)-1].next
			*part = strings.TrimPrefix(text, "try   ")
		default:
			*part += " " + strings.TrimPrefix(strings.TrimSpace(text), "| ")
		}
	}
	return all
}

// wantMessages wants the exit code and one error for each message, each with
// all of its three parts.
func wantMessages(t *testing.T, result run.Result, code int, wanted ...message) {
	t.Helper()
	result.WantCode(t, code)
	all := errorsIn(result.Stderr)
	for _, want := range wanted {
		if !anyIs(all, want) {
			t.Errorf("no error that says\n  %s\n  %s\n  try   %s\n%s", want.what, want.why, want.next, result)
		}
	}
	for _, one := range all {
		if one.next != "" && one.why == "" {
			t.Errorf("%q has no cause\n%s", one.what, result)
		}
	}
}

func anyIs(all []told, want message) bool {
	for _, one := range all {
		if holds(one.what, want.what) && holds(one.why, want.why) && holds(one.next, want.next) && one.why != "" && one.next != "" {
			return true
		}
	}
	return false
}

// holds reports whether the text has the pieces of the pattern in this order.
func holds(text, pattern string) bool {
	for piece := range strings.SplitSeq(pattern, " … ") {
		_, rest, ok := strings.Cut(text, piece)
		if !ok {
			return false
		}
		text = rest
	}
	return true
}

// wantFinding wants a check to have failed with a message.
func wantFinding(t *testing.T, result run.Result, want message) {
	t.Helper()
	var document struct {
		Checks []struct{ ID, Status, What, Why, Next string }
	}
	result.WantCode(t, refused).JSON(t, &document)
	for _, one := range document.Checks {
		if one.Status == "failed" && holds(one.What, want.what) && holds(one.Why, want.why) && holds(one.Next, want.next) {
			return
		}
	}
	t.Errorf("no finding that says\n  %s\n  %s\n  try   %s\n%s", want.what, want.why, want.next, result)
}
