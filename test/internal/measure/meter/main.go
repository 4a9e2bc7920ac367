//go:build unix

// Command meter runs commands by turns and prints what each run took. It reads
// its order from stdin and prints JSON; package measure is what uses it. It
// imports little, so that it is small: see measure.NewMeter.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

type command struct {
	Args []string `json:"args"`
	Env  []string `json:"env"`
	Dir  string   `json:"dir"`
}

type usage struct {
	CPU    time.Duration `json:"cpu"`
	Memory int64         `json:"memory"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var order struct {
		Rounds   int       `json:"rounds"`
		Commands []command `json:"commands"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&order); err != nil {
		return err
	}
	usages := make([][]usage, len(order.Commands))
	for range order.Rounds {
		for n, command := range order.Commands {
			used, err := measure(command)
			if err != nil {
				return err
			}
			usages[n] = append(usages[n], used)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(usages)
}

func measure(c command) (usage, error) {
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Env, cmd.Dir = c.Env, c.Dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return usage{}, fmt.Errorf("%v: %w\n%s", c.Args, err, stderr.Bytes())
	}
	state := cmd.ProcessState
	used := usage{CPU: state.UserTime() + state.SystemTime()}
	if resources, ok := state.SysUsage().(*syscall.Rusage); ok {
		used.Memory = int64(resources.Maxrss) * unit()
	}
	return used, nil
}

// unit of Maxrss: kilobytes, but for macOS.
func unit() int64 {
	if runtime.GOOS == "darwin" {
		return 1
	}
	return 1024
}
