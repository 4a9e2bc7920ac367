package run

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// Running is a run that is under way.
type Running struct {
	Cmd    *exec.Cmd
	stdout bytes.Buffer
	ended  chan error

	lock   sync.Mutex
	stderr bytes.Buffer
}

// Write takes what the run says.
func (r *Running) Write(p []byte) (int, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.stderr.Write(p)
}

// Said is what the run has said on stderr so far.
func (r *Running) Said() string {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.stderr.String()
}

// Prepare makes a run; it is killed at the latest when the test ends.
func Prepare(t testing.TB, user User, args ...string) *Running {
	t.Helper()
	r := &Running{Cmd: user.Command(t.Context(), t, args...), ended: make(chan error, 1)}
	r.Cmd.Stdout, r.Cmd.Stderr = &r.stdout, r
	return r
}

// Start starts the run. started, which may be nil, is called as soon as there
// is a process.
func (r *Running) Start(t testing.TB, started func()) {
	t.Helper()
	if err := r.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if started != nil {
		started()
	}
	go func() { r.ended <- r.Cmd.Wait() }()
}

// Begin is Prepare and Start.
func Begin(t testing.TB, user User, args ...string) *Running {
	t.Helper()
	r := Prepare(t, user, args...)
	r.Start(t, nil)
	return r
}

// Says waits until the run has said a text.
func (r *Running) Says(t testing.TB, text string) {
	t.Helper()
	Eventually(t, "the run", func(context.Context) error {
		select {
		case err := <-r.ended:
			r.ended <- err
			t.Fatalf("ended (%v) without saying %q:\n%s", err, text, r.Said())
		default:
		}
		if !strings.Contains(r.Said(), text) {
			return fmt.Errorf("has not said %q but\n%s", text, r.Said())
		}
		return nil
	})
}

// Send sends a signal.
func (r *Running) Send(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := r.Cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// Ends waits for the end.
func (r *Running) Ends(t testing.TB) Result {
	t.Helper()
	Eventually(t, "the end of the run", func(context.Context) error {
		select {
		case err := <-r.ended:
			r.ended <- err
			return nil
		default:
			return fmt.Errorf("still says\n%s", r.Said())
		}
	})
	return Result{Args: r.Cmd.Args[1:], Stdout: r.stdout.String(), Stderr: r.Said(), Code: r.Cmd.ProcessState.ExitCode()}
}
