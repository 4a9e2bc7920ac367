package measure

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// Command is a process to be measured.
type Command struct {
	Args []string `json:"args"` // the first is the path of the executable
	Env  []string `json:"env"`
	Dir  string   `json:"dir"`
}

// Usage is what one run of a process took.
type Usage struct {
	CPU    time.Duration `json:"cpu"`    // user and system
	Memory int64         `json:"memory"` // bytes resident at the peak
}

// Meter runs commands by turns and measures each run.
type Meter struct{ path string }

// NewMeter builds the meter into dir. It is a program of its own because a
// process is charged with the memory of the one that started it: until it
// executes something else it is a copy of its parent. So the parent has to be
// small.
func NewMeter(ctx context.Context, module, dir string) (*Meter, error) {
	path := filepath.Join(dir, "meter")
	build := exec.CommandContext(ctx, "go", "build", "-C", module, "-o", path, "./internal/measure/meter")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the meter: %w\n%s", err, output)
	}
	return &Meter{path}, nil
}

// Run runs the commands in turn, all of them rounds times, so that whatever
// else the machine does meets all alike. The result has a list of runs for
// each command. A command that fails is an error.
func (m *Meter) Run(ctx context.Context, rounds int, commands ...Command) ([][]Usage, error) {
	order, err := json.Marshal(map[string]any{"rounds": rounds, "commands": commands})
	if err != nil {
		return nil, err
	}
	meter := exec.CommandContext(ctx, m.path)
	meter.Stdin = bytes.NewReader(order)
	output, err := meter.Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		err = fmt.Errorf("%w\n%s", err, ended.Stderr)
	}
	if err != nil {
		return nil, fmt.Errorf("measure %s: %w", filepath.Base(commands[0].Args[0]), err)
	}
	var usages [][]Usage
	return usages, json.Unmarshal(output, &usages)
}

// MedianCPU is the median of the runs' CPU times.
func MedianCPU(runs []Usage) time.Duration {
	return median(runs, func(u Usage) time.Duration { return u.CPU })
}

// LeastCPU is the smallest of the runs' CPU times: where caches are shared, other
// work on the machine makes every run cost more.
func LeastCPU(runs []Usage) time.Duration {
	return slices.MinFunc(runs, func(a, b Usage) int { return cmp.Compare(a.CPU, b.CPU) }).CPU
}

// MedianMemory is the median of the runs' peaks.
func MedianMemory(runs []Usage) int64 {
	return median(runs, func(u Usage) int64 { return u.Memory })
}

func median[T ~int64](runs []Usage, of func(Usage) T) T {
	values := make([]T, 0, len(runs))
	for _, run := range runs {
		values = append(values, of(run))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
