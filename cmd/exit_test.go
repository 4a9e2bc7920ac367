package cmd

import (
	"context"
	"errors"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestExitCodesOfComparisons: 1 is an answer there, never a failure; all else is
// as everywhere.
func TestExitCodesOfComparisons(t *testing.T) {
	for _, c := range []struct {
		err                 error
		everywhere, compare problem.Kind
	}{
		{errors.New("anything"), problem.Failed, problem.Undecided},
		{&problem.Error{Kind: problem.Failed}, problem.Failed, problem.Undecided},
		{&problem.Several{Problems: []*problem.Error{{Kind: problem.Failed}}}, problem.Failed, problem.Undecided},
		{&problem.Error{Kind: problem.Refused}, problem.Refused, problem.Refused},
		{&problem.Several{Problems: []*problem.Error{{Kind: problem.Failed}, {Kind: problem.Refused}}}, problem.Refused, problem.Refused},
		{&problem.Error{Kind: problem.Usage}, problem.Usage, problem.Usage},
		{&problem.Error{Kind: problem.Interrupted, Err: context.Canceled}, problem.Interrupted, problem.Interrupted},
	} {
		if got := exitCode(c.err); got != int(c.everywhere) {
			t.Errorf("%#v: %d, want %d", c.err, got, c.everywhere)
		}
		if got := exitCode(&comparisonError{c.err}); got != int(c.compare) {
			t.Errorf("comparing, %#v: %d, want %d", c.err, got, c.compare)
		}
	}
	// Ctrl-C, of which conclude makes an error of its own.
	if got := exitCode(&problem.Error{Kind: problem.Interrupted, Err: &comparisonError{context.Canceled}}); got != int(problem.Interrupted) {
		t.Errorf("interrupted: %d", got)
	}
}
