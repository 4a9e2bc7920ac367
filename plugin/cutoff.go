package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// cutOff words the end of a run that was stopped from outside: by Ctrl-C, which
// ends ctx, or by its deadline. What was reached is kept either way, and a
// second run goes on.
func cutOff(ctx context.Context, err error, timeout time.Duration, doneSoFar func() string) error {
	stopped := &problem.Error{Next: "run the same command again: it continues where this one stopped", Err: err}
	var told *problem.Error
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		stopped.Kind, stopped.What = problem.Interrupted, "interrupted"
	case errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &told):
		stopped.Kind, stopped.What = problem.Failed, fmt.Sprintf("not done within --timeout %s", timeout)
	default:
		return err
	}
	stopped.Why = doneSoFar()
	return stopped
}
