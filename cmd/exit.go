package cmd

import (
	"context"
	"errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// exitCode is the one place where an error becomes a number. An error of no
// known kind is a failure. A missing fact that is missing because a server
// failed is both a problem and an input error; the problem is what counts.
func exitCode(err error) int {
	var several *problem.Several
	var told *problem.Error
	var input *render.InputError
	switch {
	case errors.As(err, &several):
		return int(several.Kind())
	case errors.As(err, &told):
		return int(told.Kind)
	case errors.As(err, &input):
		return int(problem.Usage)
	}
	return int(problem.Failed)
}

// isVerdict reports whether an error was reached, rather than being the echo
// of a cancelled context.
func isVerdict(err error) bool {
	var told *problem.Error
	if errors.As(err, &told) && told.Kind == problem.Interrupted {
		return true
	}
	var parts interface {
		Parts() (what, why, next string)
	}
	var several *problem.Several
	return !errors.Is(err, context.Canceled) && (errors.As(err, &parts) || errors.As(err, &several))
}
