package verify

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// browser puts a program where the browser's is looked for, which writes down
// what it was told to show, or fails. It gives the environment and the note.
func browser(t *testing.T, exit string) (env, note string) {
	t.Helper()
	dir := t.TempDir()
	note = filepath.Join(dir, "shown")
	program := map[string]string{"darwin": "open"}[runtime.GOOS]
	if program == "" {
		program = "xdg-open"
	}
	script := "#!/bin/sh\nprintf %s \"$1\" > " + note + "\nexit " + exit + "\n"
	orders(t, os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755))
	return "PATH=" + dir + ":/usr/bin:/bin", note
}

// TestOpen: the address in the browser, or on stdout.
func TestOpen(t *testing.T) {
	t.Parallel()
	a := installedBy(t, run.ProjectAdmin(t, run.TheBed(t), "opener"), "opened")
	const address = "http://ostoy-route-opened.apps.lab.example.com"
	a.user.Run(t, "open", "-n", a.namespace, "--print").WantCode(t, done).WantStdout(t, address+"\n")
	env, note := browser(t, "0")
	mark := a.bed.KubeMark()
	a.user.With(env).Run(t, "open", "-n", a.namespace).WantCode(t, done).WantStdout(t, "").WantTalk(t, "opened "+address)
	if shown, err := os.ReadFile(note); err != nil || string(shown) != address {
		t.Errorf("the browser shows %q (%v)", shown, err)
	}
	requests, err := a.bed.KubeRequests(mark, run.Name)
	orders(t, err)
	for _, r := range requests {
		if r.User.Username == "opener" && !strings.HasSuffix(r.URI, "/routes/ostoy-route") {
			t.Errorf("%s %s", r.Verb, r.URI)
		}
	}
	env, _ = browser(t, "3")
	a.user.With(env).Run(t, "open", "-n", a.namespace).WantCode(t, done).WantStdout(t, address+"\n").WantTalk(t, "no browser could be started")
	a.user.With("PATH="+t.TempDir()).Run(t, "open", "-n", a.namespace).WantCode(t, done).WantStdout(t, address+"\n").WantTalk(t, "no browser could be started: there is no ")
}

// TestOpenWithoutRoute: the way to a pod is open until Ctrl-C, which is its
// regular end.
func TestOpenWithoutRoute(t *testing.T) {
	t.Parallel()
	a := installedBy(t, run.ProjectAdmin(t, run.TheBed(t), "digger"), "tunnel", "--set", "expose=none")
	env, note := browser(t, "0")
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		running := run.Begin(t, a.user.With(env), "open", "-n", a.namespace)
		running.Says(t, "until Ctrl-C")
		said := running.Said()
		_, rest, _ := strings.Cut(said, "has no Route: ")
		address, _, _ := strings.Cut(rest, " ")
		answer, err := http.Get(address + "/home")
		orders(t, err)
		page, err := io.ReadAll(answer.Body)
		orders(t, err)
		orders(t, answer.Body.Close())
		if !strings.Contains(string(page), `href="/ack"`) {
			t.Errorf("%s shows %s", address, page)
		}
		running.Send(t, signal)
		running.Ends(t).WantCode(t, done).WantStdout(t, address+"\n")
		if answer, err := http.Get(address + "/home"); err == nil {
			_ = answer.Body.Close()
			t.Errorf("%s is still open", address)
		}
		if _, err := os.Stat(note); err != nil {
			t.Errorf("no browser was started: %v", err)
		}
	}
	a.user.Kubectl(t, "scale", "deployment/ostoy-frontend", "--replicas=0", "-n", a.namespace).WantCode(t, done)
	a.user.Kubectl(t, "wait", "--for=delete", "pod", "-l", "app=ostoy-frontend", "-n", a.namespace, "--timeout=2m").WantCode(t, done)
	a.user.Run(t, "open", "-n", a.namespace).WantCode(t, failed).WantStdout(t, "").WantTalk(t, "there is no way to OSToy in project tunnel", "no pod of ostoy-frontend")
	run.Admin(a.bed).Run(t, "open", "-n", "nothing-here").WantCode(t, misused).WantTalk(t, "project nothing-here does not exist", "oc ostoy-s3 install --new-project=nothing-here")
}
