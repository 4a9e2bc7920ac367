package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module writes a Go module with one program.
func module(t *testing.T, requires, sum, program string) source {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/scanner\n\ngo 1.26.0\n"+requires)
	write(t, filepath.Join(dir, "go.sum"), sum)
	write(t, filepath.Join(dir, "main.go"), program)
	return source{module: dir, into: t.TempDir(), limit: patient}
}

const required = "require example.com/dep v1.0.0\n"

// proxied makes a folder the only place that modules come from, with one module in
// it, and an empty cache.
func proxied(t *testing.T) {
	t.Helper()
	proxy, cache := t.TempDir(), t.TempDir()
	dir := filepath.Join(proxy, "example.com", "dep", "@v")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	w := zip.NewWriter(&zipped)
	for name, text := range map[string]string{"go.mod": "module example.com/dep\n", "dep.go": "package dep\n"} {
		file, err := w.Create("example.com/dep@v1.0.0/" + name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = file.Write([]byte(text))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "v1.0.0.info"), `{"Version":"v1.0.0","Time":"2026-01-01T00:00:00Z"}`)
	write(t, filepath.Join(dir, "v1.0.0.mod"), "module example.com/dep\n")
	write(t, filepath.Join(dir, "v1.0.0.zip"), zipped.String())
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(proxy))
	t.Setenv("GOMODCACHE", cache)
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GONOSUMDB", "example.com")
}

// TestUnavailable: a registry that does not have the modules, or that nobody can
// reach, is one printed line and not an error; nothing is built or scanned.
func TestUnavailable(t *testing.T) {
	for name, proxy := range map[string]string{
		"off": "off", "nothing listens": "http://127.0.0.1:1", "refuses": "file:///nowhere/at/all",
	} {
		t.Run(name, func(t *testing.T) {
			proxied(t)
			t.Setenv("GOPROXY", proxy)
			var out bytes.Buffer
			err := lint(t.Context(), &out, module(t, required, "", "not Go"), scan{plugin: "/is/not/run"})
			if err != nil || !strings.HasPrefix(out.String(), "trivy: its modules cannot be downloaded, nothing was scanned (") || strings.Count(out.String(), "\n") != 1 {
				t.Errorf("%v\n%s", err, &out)
			}
		})
	}
}

// TestForged: a module that is not the one that go.sum names fails, as do a module
// that does not compile and Ctrl-C.
func TestForged(t *testing.T) {
	proxied(t)
	const sum = "example.com/dep v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" +
		"example.com/dep v1.0.0/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	var out bytes.Buffer
	if err := lint(t.Context(), &out, module(t, required, sum, ""), scan{}); err == nil || !strings.Contains(err.Error(), "checksum mismatch") {
		t.Errorf("forged: %v\n%s", err, &out)
	}
	if err := lint(t.Context(), &out, module(t, "", "", "not Go"), scan{}); err == nil || !strings.Contains(err.Error(), "go vet of ") {
		t.Errorf("does not compile: %v\n%s", err, &out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := lint(ctx, &out, module(t, required, sum, ""), scan{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Ctrl-C: %v\n%s", err, &out)
	}
	if out.Len() > 0 {
		t.Error(out.String())
	}
}

// TestWrongModule: a module that is wrong fails, with and without a registry: it is not
// taken for one that cannot be downloaded.
func TestWrongModule(t *testing.T) {
	const start, unfinished = "module example.com/scanner\n\ngo 1.26.0\n", "require (\n  example.com/dep v1.0.0\n"
	for name, c := range map[string]struct {
		mod, sum, says string
		offline        bool
	}{
		"syntax":            {start + unfinished, "", "syntax error", false},
		"syntax, offline":   {start + unfinished, "", "syntax error", true},
		"no version":        {start + "require example.com/dep 1.0\n", "", "invalid", true},
		"a go.sum of words": {start + required, "not a sum at all\n", "malformed go.sum", false},
	} {
		t.Run(name, func(t *testing.T) {
			proxied(t)
			t.Setenv("GOTOOLCHAIN", "local")
			if c.offline {
				t.Setenv("GOPROXY", "off")
			}
			from := module(t, "", c.sum, "")
			write(t, filepath.Join(from.module, "go.mod"), c.mod)
			var out bytes.Buffer
			err := lint(t.Context(), &out, from, scan{plugin: "/is/not/run"})
			if err == nil || !strings.Contains(err.Error(), c.says) || out.Len() > 0 {
				t.Errorf("%v\n%s", err, &out)
			}
		})
	}
}

// TestOlderGo: trivy may need a newer Go than this project: a machine that has none, and
// may not fetch one, lints all the same.
func TestOlderGo(t *testing.T) {
	proxied(t)
	t.Setenv("GOTOOLCHAIN", "local")
	from := module(t, "", "", "")
	write(t, filepath.Join(from.module, "go.mod"), "module example.com/scanner\n\ngo 1.999.0\n"+required)
	var out bytes.Buffer
	if err := lint(t.Context(), &out, from, scan{plugin: "/is/not/run"}); err != nil || !strings.Contains(out.String(), "requires go >=") {
		t.Errorf("%v\n%s", err, &out)
	}
}

// TestLint builds a scanner from a module and uses it.
func TestLint(t *testing.T) {
	s := plays(t, "")
	from := module(t, "", "", `// Command scanner plays trivy.
package main

import "os"

func main() {
	_, _ = os.Stdout.WriteString(`+"`"+`{"checked": {}, "failed": []}`+"`"+`)
}
`)
	err := lint(t.Context(), &bytes.Buffer{}, from, s)
	if err == nil || !strings.Contains(err.Error(), "its checks did not run") {
		t.Errorf("the scanner that was built is not the one that is used: %v", err)
	}
}
