package trouble_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// running is a run that is under way.
type running struct {
	cmd    *exec.Cmd
	stdout bytes.Buffer
	ended  chan error

	lock   sync.Mutex
	stderr bytes.Buffer
}

// Write takes what the run says.
func (r *running) Write(p []byte) (int, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.stderr.Write(p)
}

func (r *running) said() string {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.stderr.String()
}

// prepare makes a run; it is killed at the latest when the test ends.
func prepare(t *testing.T, user run.User, args ...string) *running {
	t.Helper()
	r := &running{cmd: user.Command(t.Context(), t, args...), ended: make(chan error, 1)}
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, r
	return r
}

// start starts the run. started, which may be nil, is called as soon as there
// is a process.
func (r *running) start(t *testing.T, started func()) {
	t.Helper()
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if started != nil {
		started()
	}
	go func() { r.ended <- r.cmd.Wait() }()
}

// begin is prepare and start.
func begin(t *testing.T, user run.User, args ...string) *running {
	t.Helper()
	r := prepare(t, user, args...)
	r.start(t, nil)
	return r
}

// says waits until the run has said a text.
func (r *running) says(t *testing.T, text string) {
	t.Helper()
	eventually(t, "the run", func(context.Context) error {
		select {
		case err := <-r.ended:
			r.ended <- err
			t.Fatalf("ended (%v) without saying %q:\n%s", err, text, r.said())
		default:
		}
		if !strings.Contains(r.said(), text) {
			return fmt.Errorf("has not said %q but\n%s", text, r.said())
		}
		return nil
	})
}

// send sends a signal.
func (r *running) send(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the end.
func (r *running) ends(t *testing.T) run.Result {
	t.Helper()
	eventually(t, "the end of the run", func(context.Context) error {
		select {
		case err := <-r.ended:
			r.ended <- err
			return nil
		default:
			return fmt.Errorf("still says\n%s", r.said())
		}
	})
	return run.Result{Args: r.cmd.Args[1:], Stdout: r.stdout.String(), Stderr: r.said(), Code: r.cmd.ProcessState.ExitCode()}
}
