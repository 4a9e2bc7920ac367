package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/measure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// delay is put on every request, so that waiting for answers is what takes the
// time, as it does far from the cluster.
const delay = 100 * time.Millisecond

// delayed is one install through two slow proxies.
type delayed struct {
	title string
	took  time.Duration
	spans []measure.Span
	chain []measure.Span
}

// ratio is the time the run took against that of its longest chain: the delays
// and what the servers took to answer.
func (d delayed) ratio() float64 {
	return float64(d.took) / float64(measure.Length(d.chain))
}

// delays measures install with slow answers, up to the last apply: what comes
// after it is time that pods and controllers take. Of some runs each the best
// counts, since other work on the machine can only add to it.
func delays(ctx context.Context, bed *testbed.Bed, tool string, talk io.Writer) ([]row, error) {
	const rounds = 5
	var rows []row
	for _, title := range []string{"existing project", "nothing to do", "new project"} {
		var runs []delayed
		for n := range rounds {
			run, err := delayedInstall(ctx, bed, tool, title, n)
			if err != nil {
				return nil, err
			}
			runs = append(runs, run)
		}
		best := slices.MinFunc(runs, func(a, b delayed) int { return cmp.Compare(a.ratio(), b.ratio()) })
		best.print(talk)
		rows = append(rows, row{
			what:     "install, 100 ms a request, " + title,
			measured: fmt.Sprintf("%.2f × (%.2f s, %.2f s are %d of %d requests)", best.ratio(), best.took.Seconds(), measure.Length(best.chain).Seconds(), len(best.chain), len(best.spans)),
			value:    best.ratio(), bound: 1.3, unit: "× the longest chain",
		})
	}
	return rows, nil
}

func delayedInstall(ctx context.Context, bed *testbed.Bed, tool, title string, n int) (delayed, error) {
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
	name := fmt.Sprintf("slow-%d", n)
	args := []string{"install", "-n", name, "--wait=false"}
	switch title {
	case "new project":
		args = []string{"install", "--new-project=" + name + "-new", "--wait=false"}
	case "existing project":
		if err := measure.NewNamespace(ctx, bed, name); err != nil {
			return delayed{}, err
		}
	default: // the same again; the first run must have got to its end
		person := measure.Person{Bed: bed, Tool: tool, Kubeconfig: bed.Kubeconfig}
		if _, err := person.Run(ctx, "install", "-n", name); err != nil {
			return delayed{}, err
		}
	}
	person := measure.Person{Bed: bed, Tool: tool, Kubeconfig: kubeconfig, Env: []string{"AWS_ENDPOINT_URL=" + aws}}
	took, err := person.Run(ctx, args...)
	if err != nil {
		return delayed{}, err
	}
	spans := trace.Spans()
	return delayed{"install, " + title, took, spans, measure.Chain(spans)}, nil
}

// print shows the chain, for a reader who looks for what could be shorter.
func (d delayed) print(out io.Writer) {
	fmt.Fprintf(out, "\nThe longest chain of %s, with 100 ms on every request: %d of %d requests\n", d.title, len(d.chain), len(d.spans))
	begin := d.spans[0].Start
	for _, span := range d.chain {
		beside := 0
		for _, other := range d.spans {
			if other.Start.Before(span.End) && span.Start.Before(other.End) {
				beside++
			}
		}
		fmt.Fprintf(out, "  %4d ms  %4d ms  %-90s %2d beside it\n",
			span.Start.Sub(begin).Milliseconds(), span.End.Sub(span.Start).Milliseconds(), span.Name, beside-1)
	}
}
