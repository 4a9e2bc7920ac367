package run

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// User is a person at a terminal. The zero value of what follows Kubeconfig is
// fine.
type User struct {
	Bed        *testbed.Bed
	Name       string   // "admin", or the user name of a project admin
	Kubeconfig string   // empty: none
	Env        []string // KEY=VALUE, wins over everything else
	Stdin      string
	Dir        string // working directory; empty: the HOME of the run
}

// Admin is the bed's cluster admin.
func Admin(bed *testbed.Bed) User {
	return User{Bed: bed, Name: "admin", Kubeconfig: bed.Kubeconfig}
}

// ProjectAdmin is an ordinary user of that name. On OpenShift the user may
// request projects; elsewhere make a namespace first, by
// bed.NewNamespace(ctx, namespace, name).
func ProjectAdmin(t testing.TB, bed *testbed.Bed, name string) User {
	t.Helper()
	kubeconfig, err := bed.ProjectAdminKubeconfig(name)
	if err != nil {
		t.Fatal(err)
	}
	return User{Bed: bed, Name: name, Kubeconfig: kubeconfig}
}

// With is the same user with more in the environment.
func (u User) With(env ...string) User {
	u.Env = append(append([]string{}, u.Env...), env...)
	return u
}

// Typing is the same user who sends text to stdin.
func (u User) Typing(stdin string) User {
	u.Stdin = stdin
	return u
}

// Result is what a run left a user with.
type Result struct {
	Args   []string
	Stdout string
	Stderr string
	Code   int // exit code; -1 if a signal ended it
	Took   time.Duration
}

// limit ends a run that hangs. No test may depend on how long a run takes.
const limit = 5 * time.Minute

// Run runs the executable to its end.
func (u User) Run(t testing.TB, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return finish(ctx, t, u.Command(ctx, t, args...))
}

// Kubectl runs the bed's kubectl as the user.
func (u User) Kubectl(t testing.TB, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return finish(ctx, t, u.program(ctx, t, u.Bed.BinDir+"/kubectl", args...))
}

// Shell runs a script as the user, up to the first command that fails. path is
// where it looks for commands first.
func (u User) Shell(t testing.TB, path, script string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return finish(ctx, t, u.With("PATH="+path+":"+os.Getenv("PATH")).program(ctx, t, "/bin/sh", "-euc", script))
}

// Command is Run, not started yet. Each has a HOME of its own, empty.
func (u User) Command(ctx context.Context, t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	return u.program(ctx, t, tool, args...)
}

func (u User) program(ctx context.Context, t testing.TB, path string, args ...string) *exec.Cmd {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(ctx, path, args...)
	// A short run need not collect its garbage.
	cmd.Env = []string{"LANG=C.UTF-8", "TMPDIR=" + os.TempDir(), "GOGC=400"}
	if u.Bed != nil {
		cmd.Env = append(cmd.Env, u.Bed.Env()...)
	}
	cmd.Env = append(append(cmd.Env, "HOME="+home, "KUBECONFIG="+u.Kubeconfig), u.Env...)
	cmd.Dir = u.Dir
	if cmd.Dir == "" {
		cmd.Dir = home
	}
	cmd.Stdin = strings.NewReader(u.Stdin)
	return cmd
}

// finish runs a command and tells a run that ended badly from one that could
// not be run.
func finish(ctx context.Context, t testing.TB, cmd *exec.Cmd) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begin := time.Now()
	err := cmd.Run()
	result := Result{
		Args: cmd.Args[1:], Stdout: stdout.String(), Stderr: stderr.String(),
		Code: cmd.ProcessState.ExitCode(), Took: time.Since(begin),
	}
	var ended *exec.ExitError
	if ctx.Err() != nil || err != nil && !errors.As(err, &ended) {
		t.Fatalf("%s: %v, %v\n%s", strings.Join(cmd.Args, " "), err, ctx.Err(), result)
	}
	return result
}
