package status_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// watched is a run of status --watch.
type watched struct {
	cmd    *exec.Cmd
	lines  chan string
	stderr bytes.Buffer
}

func (s *scene) watch(t *testing.T, flags ...string) *watched {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	w := &watched{cmd: s.User.Command(ctx, t, append([]string{"status", "-n", s.Namespace, "--watch"}, flags...)...), lines: make(chan string, 1000)}
	w.cmd.Stderr = &w.stderr
	out, err := w.cmd.StdoutPipe()
	must(t, err)
	must(t, w.cmd.Start())
	go func() {
		defer close(w.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			w.lines <- lines.Text()
		}
	}()
	return w
}

// see waits for a line with all the texts.
func (w *watched) see(t *testing.T, texts ...string) {
	t.Helper()
	var seen []string
	limit := time.After(2 * time.Minute)
	for {
		select {
		case line, more := <-w.lines:
			if !more {
				t.Fatalf("it ended without %q\n%s\n%s", texts, strings.Join(seen, "\n"), w.stderr.String())
			}
			seen = append(seen, line)
			if has(line, texts) {
				return
			}
		case <-limit:
			t.Fatalf("no line with %q\n%s", texts, strings.Join(seen, "\n"))
		}
	}
}

func has(line string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(line, text) {
			return false
		}
	}
	return true
}

// end presses Ctrl-C: that is the ordinary end, of which nothing is said.
func (w *watched) end(t *testing.T) {
	t.Helper()
	must(t, w.cmd.Process.Signal(os.Interrupt))
	for range w.lines { // until it is closed
	}
	_ = w.cmd.Wait()
	if code := w.cmd.ProcessState.ExitCode(); code != 130 || w.stderr.String() != "" {
		t.Errorf("it ended with %d and said %q", code, w.stderr.String())
	}
}

func watch(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "watched", run.Admin(bed))
	w := s.watch(t)
	w.see(t, "drift", "✔ none")
	s.kubectl(t, "scale", "deployment/ostoy-microservice", "--replicas=2")
	w.see(t, "drift", "! 1 object")
	w.see(t, "Deployment ostoy-microservice", "spec.replicas: 2", "changed by kubectl")
	s.kubectl(t, "scale", "deployment/ostoy-microservice", "--replicas=1")
	w.see(t, "drift", "✔ none")
	w.end(t)
	must(t, bed.NewNamespace(t.Context(), "watched-empty"))
	s.User.Run(t, "status", "-n", "watched-empty", "--watch").WantCode(t, 4).WantTalk(t, "nothing is installed")
}

func watchJSON(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "watched-json", run.Admin(bed))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := s.User.Command(ctx, t, "status", "-n", s.Namespace, "--watch", "-o", "json")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	documents := json.NewDecoder(out)
	next := func() (r report) {
		must(t, documents.Decode(&r))
		return r
	}
	for next().Drift.State != "ok" {
	}
	s.kubectl(t, "delete", "route", "ostoy-route")
	for next().Route.State != "wrong" {
	}
	must(t, cmd.Process.Signal(os.Interrupt))
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("it ended with %d", code)
	}
}
