package cmd

import (
	"context"
	"errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// exitCode is the one place where an error becomes a number. An error of no
// known kind is a failure.
func exitCode(err error) int {
	var input *render.InputError
	if errors.As(err, &input) {
		return int(problem.Usage)
	}
	var several *problem.Several
	if errors.As(err, &several) {
		return int(several.Kind())
	}
	var told *problem.Error
	if errors.As(err, &told) {
		return int(told.Kind)
	}
	return int(problem.Failed)
}

// isVerdict reports whether an error was reached, rather than being the echo
// of a cancelled context.
func isVerdict(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	var input *render.InputError
	var told *problem.Error
	var several *problem.Several
	return errors.As(err, &input) || errors.As(err, &told) || errors.As(err, &several)
}
