package chart_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/aws"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// root is the repository, the folder of the module under test.
func root(t *testing.T) string {
	t.Helper()
	dir, err := testbed.ModuleDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(dir)
}

// run runs a command of the set-up; its output is shown if it fails.
func run(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", filepath.Base(name), args, err, output)
	}
	return nil
}

// motoPython is the interpreter of the Python environment the test bed keeps its
// emulator in: the same folder in the cache, made in the same way, whoever
// comes first.
func motoPython(t *testing.T) string {
	t.Helper()
	base, err := testbed.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("the AWS emulator of this test (moto) needs python3 on the PATH")
	}
	version, err := exec.CommandContext(t.Context(), python, "-VV").Output()
	if err != nil {
		t.Fatalf("%s does not run: %v", python, err)
	}
	wanted, err := fs.ReadFile(aws.Files, "requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(append(version, wanted...))
	dir := filepath.Join(base, "moto-"+hex.EncodeToString(sum[:6]))
	interpreter := filepath.Join(dir, "bin", "python")
	marker := filepath.Join(dir, ".complete")
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(marker); err == nil {
		return interpreter
	}
	list := filepath.Join(dir, "requirements.txt")
	for _, step := range []func() error{
		func() error { return os.RemoveAll(dir) },
		func() error { return run(t.Context(), base, python, "-m", "venv", dir) },
		func() error { return os.WriteFile(list, wanted, 0o644) },
		func() error { return run(t.Context(), dir, interpreter, "-m", "pip", "install", "--quiet", "-r", list) },
		func() error { return os.WriteFile(marker, nil, 0o644) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	return interpreter
}

// startAWS starts the emulator of the test bed on its own, without a cluster,
// and returns its URL. tokenKey is the PEM file with the key that signs tokens.
func startAWS(t *testing.T, tokenKey string) string {
	t.Helper()
	python := motoPython(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, aws.Files); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	output, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, filepath.Join(dir, aws.Main), strconv.Itoa(port))
	cmd.Env = append(os.Environ(), "TESTBED_TOKEN_KEY="+tokenKey, "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: it always fails
		_ = output.Close()
	})
	url := "http://127.0.0.1:" + strconv.Itoa(port)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = testbed.Poll(ctx, 100*time.Millisecond, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/testbed/log", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
	if err != nil {
		text, _ := os.ReadFile(output.Name())
		t.Fatalf("the AWS emulator does not answer: %v\n%s", err, text)
	}
	return url
}
