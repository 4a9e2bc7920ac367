package main

import (
	"context"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/measure"
)

// rendering runs render's own benchmarks with the garbage collector set as the
// executable sets it. What is held against the bounds is CPU time, for the fleet
// over all cores: the time that the machine would take if it did nothing else.
// The time it did take stands beside it. Both are the best of some runs.
func (b *bench) rendering(ctx context.Context) error {
	binary := filepath.Join(b.dir, "render.test")
	build := exec.CommandContext(ctx, "go", "test", "-C", filepath.Join(b.module, ".."), "-c", "-o", binary, "./render")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the benchmarks of render: %w\n%s", err, output)
	}
	const projects, rounds = 300, 5
	single, err := b.perOperation(ctx, binary, "BenchmarkProject", projects, rounds)
	if err != nil {
		return err
	}
	fleet, err := b.perOperation(ctx, binary, "BenchmarkThousandProjects", 1+1, rounds)
	if err != nil {
		return err
	}
	cores := runtime.GOMAXPROCS(0)
	perCore := fleet.cpu / time.Duration(cores)
	const one, all = 2, 1
	b.rows = append(b.rows,
		row{"render in process, a project", fmt.Sprintf("%.2f ms CPU (took %.2f ms)", millis(single.cpu), millis(single.wall)), millis(single.cpu), one, "ms"},
		row{"render in process, 1,000 projects", fmt.Sprintf("%.2f s CPU a core, of %d (took %.2f s)", perCore.Seconds(), cores, fleet.wall.Seconds()), perCore.Seconds(), all, "s"},
	)
	return nil
}

// operation is what one operation of a benchmark takes.
type operation struct{ cpu, wall time.Duration }

// perOperation runs a benchmark with so many operations and, by turns, with
// one: what the process does besides falls out of the difference.
func (b *bench) perOperation(ctx context.Context, binary, name string, times, rounds int) (operation, error) {
	wall, err := b.wall(ctx, binary, name, times, rounds)
	if err != nil {
		return operation{}, err
	}
	used, err := b.meter.Run(ctx, rounds, b.benchmark(binary, name, times), b.benchmark(binary, name, 1))
	if err != nil {
		return operation{}, err
	}
	cpu := (measure.LeastCPU(used[0]) - measure.LeastCPU(used[1])) / time.Duration(times-1)
	return operation{cpu, wall}, nil
}

func millis(d time.Duration) float64 { return d.Seconds() * 1000 }

func (b *bench) benchmark(binary, name string, times int) measure.Command {
	return b.command(binary, "-test.run=^$", "-test.bench=^"+name+"$", "-test.benchtime="+strconv.Itoa(times)+"x")
}

// wall is the shortest time per operation of some runs of a benchmark.
func (b *bench) wall(ctx context.Context, binary, name string, times, runs int) (time.Duration, error) {
	perOperation := regexp.MustCompile(`(\d+(?:\.\d+)?) ns/op`)
	best := time.Duration(math.MaxInt64)
	for range runs {
		c := b.benchmark(binary, name, times)
		cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
		cmd.Env, cmd.Dir = c.Env, c.Dir
		output, err := cmd.CombinedOutput()
		found := perOperation.FindSubmatch(output)
		if err != nil || found == nil {
			return 0, fmt.Errorf("%s: %w\n%s", name, err, output)
		}
		nanos, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			return 0, err
		}
		best = min(best, time.Duration(nanos))
	}
	return best, nil
}
