//go:build unix

package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// someFacts are enough to render without a cluster and without AWS.
var someFacts = strings.Fields("-n demo --account-id 123456789012 --region us-east-2 --oidc-issuer https://oidc.example.com/x --platform rosa-hcp")

// endless is a command line that does not end.
type endless struct {
	args  []string
	env   string
	stdin *os.File
	// begun returns when the command is busy with what does not end.
	begun func(t *testing.T, stderr io.Reader)
}

// TestInterruptedRendering leaves each by the first signal.
func TestInterruptedRendering(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T) endless{
		"an overlay, from a server":  endlessServer,
		"an overlay, by git":         endlessGit,
		"an overlay's pipe":          endlessOverlay,
		"values from a pipe":         endlessValues,
		"values from standard input": endlessInput,
		"facts from a pipe":          endlessFacts,
		"a kubeconfig from a pipe":   endlessKubeconfig,
		"a pipe of AWS":              endlessAWS,
	} {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(name+", "+signal.String(), func(t *testing.T) {
				t.Parallel()
				interruptedBy(t, signal, prepare(t))
			})
		}
	}
}

// interruptedBy runs the command until it does not end, and sends the signal once, as a
// terminal does: to the command and to what it has started.
func interruptedBy(t *testing.T, signal syscall.Signal, run endless) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	temporary, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	if run.args[0] == "render" {
		run.args = append(run.args, "--output-dir", out)
	}
	var stdout bytes.Buffer
	cmd := exec.CommandContext(ctx, "kubectl-ostoy_s3", run.args...)
	cmd.Env = append(os.Environ(), "HOME="+temporary, "TMPDIR="+temporary, "KUBECONFIG="+temporary+"/none", "GIT_CONFIG_NOSYSTEM=1", "AWS_EC2_METADATA_DISABLED=true", run.env)
	cmd.Stdout, cmd.SysProcAttr = &stdout, &syscall.SysProcAttr{Setpgid: true}
	if run.stdin != nil {
		cmd.Stdin = run.stdin
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	run.begun(t, io.TeeReader(pipe, &stderr))
	if err := syscall.Kill(-cmd.Process.Pid, signal); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(&stderr, pipe)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || ctx.Err() != nil {
		t.Errorf("exit code %d (%v)", code, cmd.ProcessState)
	}
	if text := stderr.String(); !strings.HasSuffix(text, "✗ interrupted\n") || stdout.Len() > 0 {
		t.Errorf("stdout %q, stderr %q", &stdout, text)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v (%v)", left, err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("it has written an output folder")
	}
}

// endlessServer is an overlay with a resource that a server never sends.
func endlessServer(t *testing.T) endless {
	server, asked := silent(t, "/it.yaml")
	return overlayOf(t, server+"/it.yaml", asked)
}

// endlessGit is an overlay with a repository on a server that does not answer git.
// kustomize has created a folder for the clone by then.
func endlessGit(t *testing.T) endless {
	server, asked := silent(t, "/it.git/info/refs")
	return overlayOf(t, server+"/it.git", asked)
}

// silent is a server that does not answer to the path, and 404 to all others.
func silent(t *testing.T, path string) (server string, asked <-chan struct{}) {
	request, quit := make(chan struct{}, 1), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		request <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-quit:
		}
	}))
	t.Cleanup(func() { close(quit); s.Close() })
	return s.URL, request
}

func overlayOf(t *testing.T, resource string, asked <-chan struct{}) endless {
	dir := folder(t, map[string]string{"kustomization.yaml": "resources:\n- " + resource + "\n"})
	return endless{
		args:  append([]string{"render", "-k", dir}, someFacts...),
		begun: func(t *testing.T, _ io.Reader) { await(t, asked) },
	}
}

func endlessOverlay(t *testing.T) endless {
	dir := folder(t, map[string]string{"kustomization.yaml": "resources:\n- it.yaml\n"})
	pipe := filepath.Join(dir, "it.yaml")
	return endless{args: append([]string{"render", "-k", dir}, someFacts...), begun: opened(t, pipe)}
}

func endlessValues(t *testing.T) endless {
	pipe := filepath.Join(t.TempDir(), "values.yaml")
	return endless{args: append([]string{"render", "-f", pipe}, someFacts...), begun: opened(t, pipe)}
}

func endlessFacts(t *testing.T) endless {
	pipe := filepath.Join(t.TempDir(), "facts.yaml")
	return endless{args: []string{"values", "--facts", pipe}, begun: opened(t, pipe)}
}

func endlessKubeconfig(t *testing.T) endless {
	pipe := filepath.Join(t.TempDir(), "kubeconfig")
	return endless{args: []string{"facts", "--kubeconfig", pipe}, begun: opened(t, pipe)}
}

func endlessAWS(t *testing.T) endless {
	pipe := filepath.Join(t.TempDir(), "config")
	return endless{args: []string{"iam", "policy", "--for", "boundary", "--project", "demo"}, env: "AWS_CONFIG_FILE=" + pipe, begun: opened(t, pipe)}
}

// endlessInput is a standard input with more in it than a pipe holds, and without an end.
func endlessInput(t *testing.T) endless {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = out.Close(), in.Close() })
	return endless{
		args:  append([]string{"render", "-f", "-"}, someFacts...),
		stdin: out,
		begun: func(t *testing.T, _ io.Reader) {
			if _, err := in.WriteString(strings.Repeat("# more\n", 1<<17)); err != nil {
				t.Error(err)
			}
		},
	}
}

// opened makes a pipe, and returns when the command has opened it. Nothing is written.
func opened(t *testing.T, pipe string) func(*testing.T, io.Reader) {
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, _ io.Reader) {
		for began := time.Now(); time.Since(began) < 3*time.Minute; time.Sleep(time.Millisecond) {
			// It cannot be opened to write before it is opened to read.
			if in, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
				t.Cleanup(func() { _ = in.Close() })
				return
			}
		}
		t.Error("the command does not open " + pipe)
	}
}

func await(t *testing.T, what <-chan struct{}) {
	select {
	case <-what:
	case <-time.After(3 * time.Minute):
		t.Error("the command does not begin")
	}
}

func folder(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
