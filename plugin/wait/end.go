package wait

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// ended is the error for a context that is over. A deadline is a finding; an
// interrupt is the user's wish and has no need of an explanation.
func ended(ctx context.Context, all []State, w *watched, started time.Time) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("waiting was interrupted: %w", ctx.Err())
	}
	var open []State
	for _, s := range all {
		if !s.Ready {
			open = append(open, s)
		}
	}
	took := time.Since(started).Round(time.Second)
	p := notReady(open)
	if len(open) == 1 {
		p.What = fmt.Sprintf("%s is not ready after %s", naming(open[0]), took)
	} else {
		p.What = fmt.Sprintf("%d objects are not ready after %s", len(open), took)
	}
	if server, ok := w.trouble(); ok && !server.Ready {
		p.Why = strings.TrimPrefix(p.Why+"\n", "\n") + "the API server " + strings.TrimSuffix(server.Text, ", trying again") + ": " + server.Hint
	}
	if p.Next != "" {
		p.Next += "\n"
	}
	p.Next += "run the same command again to continue waiting"
	p.Err = ctx.Err()
	return p
}

// hopeless is the error for what will not become ready, told in the order of ids.
func hopeless(failed []State, ids []string) error {
	place := func(s State) int { return slices.Index(ids, s.Kind+"/"+s.Name) }
	slices.SortFunc(failed, func(a, b State) int { return place(a) - place(b) })
	p := notReady(failed)
	if len(failed) == 1 {
		p.What = naming(failed[0]) + " will not become ready"
	} else {
		p.What = fmt.Sprintf("%d objects will not become ready", len(failed))
	}
	return p
}

// notReady names each object with its last State, and all next steps.
func notReady(states []State) *problem.Error {
	p := &problem.Error{Kind: problem.NotReady}
	var whys, nexts []string
	for _, s := range states {
		why := s.Text
		if len(states) > 1 {
			why = naming(s) + ": " + s.Text
		}
		whys = append(whys, plain.Line(why))
		if s.Hint != "" && !slices.Contains(nexts, s.Hint) {
			nexts = append(nexts, s.Hint)
		}
	}
	p.Why, p.Next = strings.Join(whys, "\n"), strings.Join(nexts, "\n")
	return p
}

func naming(s State) string { return s.Kind + " " + s.Name }

// mayNotWatch is the error for watches that are refused from the start.
func mayNotWatch(namespace string, err error) error {
	p := &problem.Error{
		Kind: problem.Failed,
		What: "everything is applied, but cannot be watched in " + namespace,
		Why:  plain.Line(err.Error()),
		Next: "ask an admin for the right to list and watch there, or install with --wait=false",
		Err:  err,
	}
	switch {
	case apierrors.IsUnauthorized(err):
		p.Next = "oc login, then run the same command again"
	case apierrors.IsNotFound(err):
		p.Next = "the cluster does not serve this kind any more: oc api-resources"
	}
	return p
}
