package cmd

import (
	"context"
	"errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// exitCode is the one place where an error becomes a number. An error of no
// known kind is a failure.
func exitCode(err error) int {
	var several *problem.Several
	var told *problem.Error
	// Itself, and not what it may be wrapped in: an interrupted run is just that.
	if compared, ok := err.(*comparisonError); ok {
		return compared.exitCode()
	}
	switch {
	case errors.As(err, &several):
		return int(several.Kind())
	case errors.As(err, &told):
		return int(told.Kind)
	}
	return int(problem.Failed)
}

// comparisonError is an error of a command whose exit code 1 means that there are
// differences.
type comparisonError struct{ error }

func (c *comparisonError) Unwrap() error { return c.error }

// exitCode is that of the error, unless that would be taken for an answer.
func (c *comparisonError) exitCode() int {
	if code := exitCode(c.error); code != int(problem.Differs) {
		return code
	}
	return int(problem.Undecided)
}

// isVerdict reports whether an error was reached, rather than being the echo
// of a cancelled context.
func isVerdict(err error) bool {
	var told *problem.Error
	if errors.As(err, &told) && told.Kind == problem.Interrupted {
		return true
	}
	var several *problem.Several
	return !errors.Is(err, context.Canceled) && (errors.As(err, &told) || errors.As(err, &several))
}
