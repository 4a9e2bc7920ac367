package run

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// AtTerminal runs the executable at a terminal, types the answer when it is
// asked something, and gives the exit code and all that was on the screen.
func AtTerminal(t testing.TB, user User, answer string, args ...string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := user.Command(ctx, t, args...)
	cmd.Env = append(cmd.Env, "TERM=xterm")
	cmd.Stdin = nil
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var mu sync.Mutex
	var screen bytes.Buffer
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		asked := false
		buffer := make([]byte, 4096)
		for {
			n, err := terminal.Read(buffer)
			mu.Lock()
			screen.Write(buffer[:n])
			ask := !asked && (strings.Contains(screen.String(), "to go on: ") || strings.Contains(screen.String(), "]: "))
			mu.Unlock()
			if ask {
				asked = true
				_, _ = terminal.WriteString(answer) // a program that is gone has no ears
			}
			if err != nil { // the program has ended
				return
			}
		}
	}()
	err = cmd.Wait()
	<-ended
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), screen.String()
}
