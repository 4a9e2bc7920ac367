package verify

import (
	"context"
	"fmt"
	"time"
)

const (
	firstPause = 500 * time.Millisecond
	maxPause   = 4 * time.Second
	// tellEvery is how often a wait is news.
	tellEvery = 15 * time.Second
)

// patiently does something again as long as its failure may pass: AWS knows of a
// change to IAM only after a while, and says nothing else than that it refuses.
// It gives the last failure when the patience of the run is over.
func (r *run) patiently(ctx context.Context, level Level, what string, passes func(error) bool, do func(context.Context) error) error {
	told := time.Duration(-1)
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := do(ctx)
		passed := time.Since(r.began)
		if err == nil || !passes(err) || passed+pause > r.options.Patience {
			return err
		}
		again := told >= 0 && passed-told < tellEvery
		if !again {
			told = passed
		}
		r.observe(Event{Level: level, Waiting: true, Again: again, Text: fmt.Sprintf("%s, IAM may still be spreading a change (%d s of %d s)",
			what, int(passed.Seconds()), int(r.options.Patience.Seconds()))})
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// stillSo is what a reader should know of a refusal that was waited out.
func (r *run) stillSo() string {
	if passed := time.Since(r.began); passed > firstPause && r.options.Patience > 0 {
		return fmt.Sprintf(" (still so after %d s)", int(passed.Seconds()+0.5))
	}
	return ""
}
