package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// grace is how long a part may take to end by itself.
const grace = 10 * time.Second

// process is one running part of the bed.
type process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{}
	err  error // how it ended; read only after done is closed
}

// startProcess runs an executable as a process group of its own, with its
// output in DIR/NAME.log.
//
// The goroutine that starts it keeps its thread until the process ends: the
// kernel sends the death signal (see attributes) when the starting THREAD
// ends, and Go ends threads when it likes.
func startProcess(name, logDir string, env []string, path string, args ...string) (*process, error) {
	file, err := os.Create(filepath.Join(logDir, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, file, file
	cmd.SysProcAttr = attributes()
	p := &process{name: name, log: file.Name(), cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer file.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// stop ends the process group: politely first, then by force.
func (p *process) stop() {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(grace):
	}
	// Also after a clean end: a child of the part may have stayed.
	p.signal(syscall.SIGKILL)
	<-p.done
}

// failed tells how a part that is starting went wrong, nil while it may still
// become ready.
func (p *process) failed() error {
	select {
	case <-p.done:
		return errors.Join(errors.New("ended too early"), p.err)
	default:
	}
	if p.portTaken() {
		return errors.New("its port is taken")
	}
	return nil
}

func (p *process) signal(s syscall.Signal) {
	// Negative: the whole group. An error means that it is gone already.
	_ = syscall.Kill(-p.cmd.Process.Pid, s)
}

// await polls until ready says yes. It gives up when the process ends, the
// limit is reached or the context is done, and then shows the end of the log.
func (p *process) await(ctx context.Context, limit time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := Poll(ctx, 50*time.Millisecond, func(ctx context.Context) error {
		if err := p.failed(); err != nil {
			return permanent{err}
		}
		return ready(ctx)
	})
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", p.name, err, tail(p.log))
	}
	return nil
}

// permanent is an error for which Poll does not try again.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Poll calls try until it returns nil. When the context ends first, the error
// is the last one try returned.
func Poll(ctx context.Context, interval time.Duration, try func(context.Context) error) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var last error
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		// The try that the end of the context cut short knows nothing.
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if stop := (permanent{}); errors.As(err, &stop) {
			return stop.error
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", context.Cause(ctx), last)
		case <-ticker.C:
		}
	}
}

// tail is the end of a log, for error messages.
func tail(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
