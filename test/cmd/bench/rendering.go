package main

import (
	"context"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/measure"
)

// rendering runs render's own benchmarks with the garbage collector set as the
// executable sets it. Time is the best of some runs: other work on the machine can
// only add to it. CPU time is what the process was charged with.
func (b *bench) rendering(ctx context.Context) error {
	binary := filepath.Join(b.dir, "render.test")
	build := exec.CommandContext(ctx, "go", "test", "-C", filepath.Join(b.module, ".."), "-c", "-o", binary, "./render")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the benchmarks of render: %w\n%s", err, output)
	}
	const projects, runs = 300, 5
	once, err := b.wall(ctx, binary, "BenchmarkProject", projects, runs)
	if err != nil {
		return err
	}
	thousand, err := b.wall(ctx, binary, "BenchmarkThousandProjects", 1, runs)
	if err != nil {
		return err
	}
	// One project more or less: what is left is what the projects took.
	used, err := b.meter.Run(ctx, runs, b.benchmark(binary, "BenchmarkProject", projects), b.benchmark(binary, "BenchmarkProject", 1))
	if err != nil {
		return err
	}
	cpu := (measure.MedianCPU(used[0]) - measure.MedianCPU(used[1])) / (projects - 1)
	const one, all = 2, 1
	b.rows = append(b.rows,
		row{"render in process, a project", fmt.Sprintf("%.2f ms (CPU %.2f ms)", millis(once), millis(cpu)), millis(once), one, "ms"},
		row{"render in process, 1,000 projects", fmt.Sprintf("%.2f s", thousand.Seconds()), thousand.Seconds(), all, "s"},
	)
	return nil
}

func millis(d time.Duration) float64 { return d.Seconds() * 1000 }

func (b *bench) benchmark(binary, name string, times int) measure.Command {
	c := b.command(binary, "-test.run=^$", "-test.bench=^"+name+"$", "-test.benchtime="+strconv.Itoa(times)+"x")
	c.Env = append(c.Env, "GOGC=400") // cmd/kubectl-ostoy_s3, collectLess
	return c
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
