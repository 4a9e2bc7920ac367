package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// state is what a sandbox that stays leaves in its folder for later
// calls. Its process holds a lock on the file, so that a file left behind by a
// crash, or a process id used again, is never mistaken for a sandbox.
type state struct {
	PID          int      `json:"pid"`
	Platform     string   `json:"platform"`
	NoController bool     `json:"noController"`
	Env          []string `json:"env"`
}

// files of the sandbox that stays.
type files struct{ state, lock, log string }

// sandboxFiles finds them in dir, or with dir empty in the cache directory.
func sandboxFiles(dir string) (files, error) {
	if dir == "" {
		cache, err := testbed.CacheDir()
		if err != nil {
			return files{}, err
		}
		dir = filepath.Join(cache, "sandbox")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return files{}, err
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	return files{in("state.json"), in("lock"), in("log")}, os.MkdirAll(dir, 0o755)
}

// up starts a child that serves, waits until it has a bed, and leaves it.
func up(ctx context.Context, options testbed.Options, dir string, out, talk io.Writer) error {
	paths, err := sandboxFiles(dir)
	if err != nil {
		return err
	}
	if running, err := current(paths); err != nil {
		return err
	} else if running != nil {
		if running.Platform != string(options.Platform) {
			return fmt.Errorf("a sandbox that plays %s is running: stop it first with `sandbox down`", running.Platform)
		}
		if running.NoController != options.NoController {
			return errors.New("a sandbox is running that differs in --no-controller: stop it first with `sandbox down`")
		}
		_, _ = fmt.Fprintln(talk, "the sandbox is running already")
		return export(out, running.Env)
	}
	log, err := os.Create(paths.log)
	if err != nil {
		return err
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	child := exec.Command(self, "serve", "--platform", string(options.Platform),
		fmt.Sprintf("--no-controller=%t", options.NoController), "--state", filepath.Dir(paths.state))
	child.Stdout, child.Stderr = log, log
	// A session of its own: the terminal's Ctrl-C and hang-up are not for it.
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	started, err := follow(ctx, paths, ended, talk)
	if err != nil {
		// Interrupted or failed: nothing stays.
		_ = child.Process.Signal(syscall.SIGTERM)
		return err
	}
	return export(out, started.Env)
}

// follow passes on what the child says until it has a bed.
func follow(ctx context.Context, paths files, ended chan error, talk io.Writer) (*state, error) {
	log, err := os.Open(paths.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		if _, err := io.Copy(talk, log); err != nil {
			return nil, err
		}
		found, err := current(paths)
		if err != nil || found != nil {
			return found, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case err := <-ended:
			_, copyErr := io.Copy(talk, log)
			return nil, errors.Join(errors.New("the sandbox did not start"), err, copyErr)
		case <-ticker.C:
		}
	}
}

// serve is the child: a bed until a signal comes.
func serve(ctx context.Context, options testbed.Options, dir string) (err error) {
	paths, err := sandboxFiles(dir)
	if err != nil {
		return err
	}
	lock, err := os.OpenFile(paths.lock, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another sandbox is running or starting: %w", err)
	}
	if err := os.RemoveAll(paths.state); err != nil {
		return err
	}
	bed, err := testbed.Start(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(paths.state), bed.Stop()) }()
	text, err := json.Marshal(state{PID: os.Getpid(), Platform: string(options.Platform), NoController: options.NoController, Env: forPeople(bed)})
	if err != nil {
		return err
	}
	// Renamed into place: readers never see half of it.
	if err := errors.Join(os.WriteFile(paths.state+".new", text, 0o600), os.Rename(paths.state+".new", paths.state)); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// current reads the state of the sandbox that runs, nil if none does.
func current(paths files) (*state, error) {
	text, err := os.ReadFile(paths.state)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if held, err := locked(paths.lock); err != nil || !held {
		return nil, err
	}
	found := &state{}
	return found, json.Unmarshal(text, found)
}

// locked tells whether a living process holds the lock.
func locked(path string) (bool, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0o644)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer file.Close()
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// down ends the sandbox and waits until it is gone.
func down(ctx context.Context, dir string, talk io.Writer) error {
	paths, err := sandboxFiles(dir)
	if err != nil {
		return err
	}
	running, err := current(paths)
	if err != nil {
		return err
	}
	if running == nil {
		_, err := fmt.Fprintln(talk, "no sandbox is running")
		return err
	}
	if err := syscall.Kill(running.PID, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the sandbox (process %d): %w", running.PID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = testbed.Poll(ctx, 100*time.Millisecond, func(context.Context) error {
		if held, err := locked(paths.lock); err != nil || held {
			return errors.Join(fmt.Errorf("process %d has not ended", running.PID), err)
		}
		return nil
	})
	if err == nil {
		_, err = fmt.Fprintln(talk, "the sandbox is gone")
	}
	return err
}
