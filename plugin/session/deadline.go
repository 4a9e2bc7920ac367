package session

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// InTime runs a part of a command under its deadline, --timeout or what is left
// of it, and words the end of a run that was cut off.
func InTime(ctx context.Context, limit, timeout time.Duration, doneSoFar func() string, part func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := part(limited)
	if err == nil || limited.Err() == nil {
		return err
	}
	return CutOff(ctx, err, timeout, doneSoFar)
}

// CutOff words the end of a run that was stopped from outside: by Ctrl-C, which
// ends ctx, or by its deadline. What was reached is kept either way, and a
// second run goes on. An error that is about something else passes unchanged.
func CutOff(ctx context.Context, err error, timeout time.Duration, doneSoFar func() string) error {
	var told *problem.Error
	stopped := &problem.Error{Next: "run the same command again: it continues where this one stopped", Err: err}
	switch {
	case ctx.Err() != nil && (errors.Is(err, context.Canceled) || !errors.As(err, &told)):
		stopped.Kind, stopped.What, stopped.Why = problem.Interrupted, "interrupted", doneSoFar()
	case late(err):
		stopped.Kind, stopped.What = problem.Failed, fmt.Sprintf("not done within --timeout %s", timeout)
		stopped.Why = strings.TrimPrefix(awaited(err)+"\n"+doneSoFar(), "\n")
	default:
		return err
	}
	return stopped
}

// late reports whether an error is the deadline's, and not a finding of those
// who were waiting: what is not ready they know best.
func late(err error) bool {
	var told *problem.Error
	return errors.Is(err, context.DeadlineExceeded) && !(errors.As(err, &told) && told.Kind != problem.Failed)
}

// awaited says what was waited for when the time was over, as far as the error
// knows.
func awaited(err error) string {
	var known *problem.Awaited
	var told *problem.Error
	var request *url.Error
	switch {
	case errors.As(err, &known):
		return "it was waiting for " + known.What
	case errors.As(err, &told):
		return told.What + ": no answer in time"
	case errors.As(err, &request):
		path := request.URL
		if asked, err := url.Parse(request.URL); err == nil {
			path = asked.Host + asked.Path
		}
		return "no answer in time to " + strings.ToUpper(request.Op) + " " + path
	}
	return ""
}
