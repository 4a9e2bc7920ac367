package testbed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// CacheDir is where builds and environments live between runs, outside the
// tree. It is made if missing.
func CacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory (set XDG_CACHE_HOME or HOME): %w", err)
	}
	dir := filepath.Join(base, "oc-ostoy-s3", "test")
	return dir, os.MkdirAll(dir, 0o755)
}

// ModuleDir is the folder of this test module: where its sources were when
// this was compiled, or else the module around the working directory.
func ModuleDir() (string, error) {
	if _, file, _, ok := runtime.Caller(0); ok {
		dir := filepath.Dir(filepath.Dir(file))
		if exists(filepath.Join(dir, "controlplane", "main.go")) {
			return dir, nil
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		for _, candidate := range []string{dir, filepath.Join(dir, "test")} {
			if exists(filepath.Join(candidate, "controlplane", "main.go")) {
				return candidate, nil
			}
		}
	}
	return "", errors.New("the test module's sources are not found: run this inside the repository")
}

// cached returns the cache folder of a thing, made by fill unless it is there
// complete. A lock keeps two test packages from making it at the same time; a
// half-made one, left by a kill, is made anew.
func cached(ctx context.Context, name, key string, fill func(dir string) error) (string, error) {
	base, err := CacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(key))
	dir := filepath.Join(base, name+"-"+hex.EncodeToString(sum[:6]))
	marker := filepath.Join(dir, ".complete")
	if exists(marker) {
		return dir, nil
	}
	unlock, err := Lock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(marker) {
		return dir, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := fill(dir); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, os.WriteFile(marker, nil, 0o644)
}

// Lock takes an advisory lock, which the kernel releases even if we are killed.
func Lock(ctx context.Context, path string) (func(), error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	err = Poll(ctx, 200*time.Millisecond, func(context.Context) error {
		return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for %s: %w", path, err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
