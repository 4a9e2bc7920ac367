// Command bench measures what was promised of the plugin's speed: rendering in
// process, the executable against helm, the requests of install and how well it
// waits for many of them at the same time, and how long check and status take in
// multiples of one request's time. It prints one table and does not judge: times
// depend on the machine, so that OVER is a word and not a failure. What can be
// counted is held by the tests in test/counts.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/measure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	tool := flag.String("tool", "", "the executable to measure (default: what `make build` made)")
	rounds := flag.Int("rounds", 21, "runs of each process, by turns")
	bed := flag.Bool("bed", true, "measure install too, on a test bed")
	flag.Parse()
	if err := run(ctx, *tool, *rounds, *bed); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, tool string, rounds int, withBed bool) (err error) {
	module, err := testbed.ModuleDir()
	if err != nil {
		return err
	}
	if tool == "" {
		tool = filepath.Join(module, "..", "bin", "kubectl-ostoy_s3")
	}
	if tool, err = filepath.Abs(tool); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ostoy-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &bench{module: module, dir: dir, tool: tool, rounds: rounds}
	if b.meter, err = measure.NewMeter(ctx, module, dir); err != nil {
		return err
	}
	steps := []func(context.Context) error{b.rendering, b.processes}
	if withBed {
		steps = append(steps, b.installs)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return printTable(os.Stdout, b.rows)
}

// bench is one run of all measurements.
type bench struct {
	module, dir, tool string
	rounds            int
	meter             *measure.Meter
	rows              []row
}

// installs measures install on a bed.
func (b *bench) installs(ctx context.Context) (err error) {
	bed, err := testbed.Start(ctx, testbed.Options{Platform: testbed.ROSAClassic, Progress: os.Stderr})
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := bed.Stop(); err == nil {
			err = stopErr
		}
	}()
	counted, err := measure.Installs(ctx, bed, b.tool)
	if err != nil {
		return err
	}
	fmt.Printf("\nRequests of install, held by test/counts\n\n%s", measure.Table(counted))
	rows, err := delays(ctx, bed, b.tool, os.Stdout)
	b.rows = append(b.rows, rows...)
	if err != nil {
		return err
	}
	rows, err = looks(ctx, bed, b.tool, os.Stdout)
	b.rows = append(b.rows, rows...)
	return err
}
