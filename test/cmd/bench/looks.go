package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/measure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// looks measures the commands that only look, at an install that is there, with
// slow answers. Their time in requests is what a reader far from the cluster
// feels: it must be that of the longest chain, and a second for all else.
func looks(ctx context.Context, bed *testbed.Bed, tool string, talk io.Writer) ([]row, error) {
	const rounds = 5
	person := measure.Person{Bed: bed, Tool: tool, Kubeconfig: bed.Kubeconfig}
	if _, err := person.Run(ctx, "install", "--new-project=looked-at"); err != nil {
		return nil, err
	}
	var rows []row
	for _, args := range [][]string{
		{"check", "-n", "looked-at"}, {"status", "-n", "looked-at"}, {"status", "-A"},
	} {
		var runs []delayed
		for range rounds {
			run, err := delayedLook(ctx, bed, tool, args)
			if err != nil {
				return nil, err
			}
			runs = append(runs, run)
		}
		best := slices.MinFunc(runs, func(a, b delayed) int { return cmp.Compare(a.took, b.took) })
		best.print(talk)
		requests := float64(best.took) / float64(delay)
		rows = append(rows, row{
			what:     best.title + ", 100 ms a request",
			measured: fmt.Sprintf("%.1f × one request (%.2f s, %d requests, %d of them one after the other)", requests, best.took.Seconds(), len(best.spans), len(best.chain)),
			value:    requests,
			bound:    float64(len(best.chain)) + float64(time.Second/delay), unit: "× one request",
		})
	}
	return rows, nil
}

func delayedLook(ctx context.Context, bed *testbed.Bed, tool string, args []string) (delayed, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	trace := &measure.Trace{Delay: delay}
	kubeconfig, err := bed.KubeProxy(ctx, bed.Kubeconfig, trace.Hook)
	if err != nil {
		return delayed{}, err
	}
	aws, err := bed.AWSProxy(ctx, trace.Hook)
	if err != nil {
		return delayed{}, err
	}
	person := measure.Person{Bed: bed, Tool: tool, Kubeconfig: kubeconfig, Env: []string{"AWS_ENDPOINT_URL=" + aws}}
	took, err := person.Run(ctx, args...)
	if err != nil {
		return delayed{}, err
	}
	spans := trace.Spans()
	return delayed{strings.Join(args, " "), took, spans, measure.Chain(spans)}, nil
}
