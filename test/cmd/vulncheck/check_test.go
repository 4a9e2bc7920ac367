package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	unreachable = "govulncheck: the vulnerability database cannot be reached, nothing was looked at"
	patient     = time.Minute
)

// stored are the files of a database in which url.Parse is vulnerable in every
// version of Go.
func stored() map[string]string {
	return map[string]string{
		"index/db.json":      `{"modified":"2026-01-01T00:00:00Z"}`,
		"index/modules.json": `[{"path":"stdlib","vulns":[{"id":"GO-2099-0001","modified":"2026-01-01T00:00:00Z"}]}]`,
		"index/vulns.json":   `[{"id":"GO-2099-0001","modified":"2026-01-01T00:00:00Z"}]`,
		"ID/GO-2099-0001.json": `{"schema_version":"1.3.1","id":"GO-2099-0001","modified":"2026-01-01T00:00:00Z","published":"2026-01-01T00:00:00Z",
			"summary":"made up for a test","details":"made up for a test","affected":[{"package":{"name":"stdlib","ecosystem":"Go"},
			"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
			"ecosystem_specific":{"imports":[{"path":"net/url","symbols":["Parse"]}]}}],
			"database_specific":{"url":"https://pkg.go.dev/vuln/GO-2099-0001"}}`,
	}
}

// served is the database on a server, for as long as answers says so.
func served(t *testing.T, answers func(path string) bool) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := stored()[strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".gz")]
		if !ok || !answers(r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		zipped := gzip.NewWriter(w)
		_, _ = zipped.Write([]byte(text))
		_ = zipped.Close()
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func copied(t *testing.T) string {
	dir := t.TempDir()
	for name, text := range stored() {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
	}
	return "file://" + filepath.ToSlash(dir)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// program is a module whose main does the statement.
func program(t *testing.T, statement string) string {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/program\n\ngo 1.26.0\n")
	write(t, filepath.Join(dir, "main.go"), "package main\n\nimport \"net/url\"\n\nfunc main() { "+statement+" }\n")
	return dir
}

func govulncheck(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "govulncheck")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "golang.org/x/vuln/cmd/govulncheck")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return path
}

// TestFound: what is called and vulnerable fails; what is vulnerable and not
// called does not; both with the real govulncheck.
func TestFound(t *testing.T) {
	always := func(string) bool { return true }
	calls, callsNot := program(t, `_, _ = url.Parse("x")`), program(t, `_ = url.QueryEscape("x")`)
	c := check{govulncheck: govulncheck(t), patience: patient, limit: 5 * patient}
	for _, database := range []string{served(t, always), copied(t)} {
		var out bytes.Buffer
		c.database, c.out = database, &out
		if err := c.modules(t.Context(), []string{callsNot}); err != nil || strings.Contains(out.String(), unreachable) {
			t.Errorf("%s: not called: %v\n%s", database, err, &out)
		}
		out.Reset()
		err := c.modules(t.Context(), []string{callsNot, calls})
		if !errors.Is(err, errFound) || !strings.Contains(out.String(), "GO-2099-0001") || !strings.Contains(err.Error(), calls) {
			t.Errorf("%s: called: %v\n%s", database, err, &out)
		}
	}
	// A database that goes away in the middle found nothing, and says so.
	var out bytes.Buffer
	first := true
	c.out, c.database = &out, served(t, func(string) bool { was := first; first = false; return was })
	if err := c.modules(t.Context(), []string{calls}); err != nil || !strings.Contains(out.String(), unreachable) {
		t.Errorf("cut off: %v\n%s", err, &out)
	}
	// A strict run fails then.
	c.strict, first = true, true
	if err := c.modules(t.Context(), []string{calls}); !errors.Is(err, errUnseen) {
		t.Errorf("interrupted, strict: %v", err)
	}
	c.strict = false
	// What is no module is no success, and not the network's fault.
	out.Reset()
	c.database = copied(t)
	if err := c.modules(t.Context(), []string{t.TempDir()}); err == nil || errors.Is(err, errFound) || strings.Contains(out.String(), unreachable) {
		t.Errorf("no module: %v\n%s", err, &out)
	}
}

// TestPlatforms: what is called only on one platform is found if that one is scanned, and
// a platform that cannot be scanned is not a success.
func TestPlatforms(t *testing.T) {
	dir := program(t, `_ = url.QueryEscape("x")`)
	write(t, filepath.Join(dir, "x_windows.go"), "package main\n\nimport \"net/url\"\n\nfunc init() { _, _ = url.Parse(\"x\") }\n")
	var out bytes.Buffer
	c := check{govulncheck: govulncheck(t), database: copied(t), patience: patient, limit: 5 * patient, strict: true, out: &out}
	c.platforms = []string{"linux/amd64", "darwin/arm64"}
	if err := c.modules(t.Context(), []string{dir}); err != nil {
		t.Errorf("%v\n%s", err, &out)
	}
	c.platforms = append(c.platforms, "windows/amd64")
	if err := c.modules(t.Context(), []string{dir}); !errors.Is(err, errFound) || !strings.Contains(err.Error(), "windows/amd64") {
		t.Errorf("%v\n%s", err, &out)
	}
	for _, none := range []string{"linux/vax", "amiga/amd64", "linux", "/amd64", " linux/amd64"} {
		c.platforms = []string{none}
		if err := c.modules(t.Context(), []string{dir}); err == nil || errors.Is(err, errFound) || errors.Is(err, errUnseen) {
			t.Errorf("%q: %v", none, err)
		}
	}
}

// TestUnreachable: nothing listens, nobody answers, somebody else answers, no
// copy is there; each is told in one line, and nothing is run.
func TestUnreachable(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	missing := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(missing.Close)
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>log in")) }))
	t.Cleanup(portal.Close)
	quit := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-quit:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(quit); silent.Close() })
	for name, database := range map[string]string{
		"nothing listens": gone.URL, "not there": missing.URL, "a portal": portal.URL, "silence": silent.URL,
		"no name": "https://vuln.invalid", "no copy": "file:///nowhere/at/all",
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			c := check{govulncheck: "/is/not/run", database: database, patience: 200 * time.Millisecond, limit: patient, out: &out}
			if err := c.modules(t.Context(), []string{"."}); err != nil {
				t.Error(err)
			}
			if text := out.String(); !strings.HasPrefix(text, unreachable) || strings.Count(text, "\n") != 1 {
				t.Errorf("%q", text)
			}
			// A release does not go out on that.
			c.strict = true
			if err := c.modules(t.Context(), []string{"."}); !errors.Is(err, errUnseen) {
				t.Errorf("strict: %v", err)
			}
		})
	}
}

// TestEnds: a govulncheck that hangs, and Ctrl-C, end as errors, not as success.
func TestEnds(t *testing.T) {
	sleeper := filepath.Join(t.TempDir(), "sleeper")
	if err := os.WriteFile(sleeper, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := check{govulncheck: sleeper, database: copied(t), patience: patient, limit: 100 * time.Millisecond, out: &out}
	if err := c.modules(t.Context(), []string{"."}); err == nil || !strings.Contains(err.Error(), "did not end within") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.database = "http://127.0.0.1:1"
	if err := c.modules(ctx, []string{"."}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
