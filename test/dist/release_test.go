package dist

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// recorded runs `make -j4 release` with a go command that runs the scan and records
// everything else, and with a script as govulncheck. It returns what was scanned and
// built, in order, as "scan linux/amd64" and "build linux/amd64".
func recorded(t *testing.T, database, govulncheck string) (steps []string, err error) {
	t.Helper()
	dir := t.TempDir()
	record := filepath.Join(dir, "record")
	script := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	script("govulncheck", `echo "scan $GOOS/$GOARCH" >> `+record+"\n"+govulncheck)
	recorder := script("go", `case "$*" in
*cmd/vulncheck*) exec go "$@" ;;
build*) echo "build $GOOS/$GOARCH" >> `+record+` ;;
esac`)
	command := exec.CommandContext(t.Context(), "make", "-C", "../..", "-j4", "release", "GO="+recorder, "TOOLS="+dir, "DIST="+filepath.Join(dir, "dist"))
	command.Env = append(os.Environ(), "GOVULNDB="+database, "MAKEFLAGS=")
	out, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	text, readErr := os.ReadFile(record)
	if readErr != nil && !os.IsNotExist(readErr) {
		t.Fatal(readErr)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), err
}

// A release is built only after each of its platforms was scanned, and nothing was found.
func TestRelease(t *testing.T) {
	database := t.TempDir()
	if err := os.Mkdir(filepath.Join(database, "index"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(database, "index", "db.json"), []byte(`{"modified":"2026-01-01T00:00:00Z"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	reachable := "file://" + filepath.ToSlash(database)

	steps, err := recorded(t, reachable, "exit 0")
	var scans, builds []string
	for n, step := range steps {
		what, platform, _ := strings.Cut(step, " ")
		switch {
		case what == "scan" && n < len(steps)/2:
			scans = append(scans, platform)
		case what == "build":
			builds = append(builds, platform)
		}
	}
	if err != nil || len(builds) != 6 || !slices.Equal(scans, builds) {
		t.Errorf("%v: %q", err, steps)
	}

	for name, tc := range map[string]struct{ database, govulncheck, says string }{
		"no database":     {"http://127.0.0.1:1", "exit 0", "the vulnerability database cannot be reached"},
		"vulnerable":      {reachable, "exit 3", "known to be vulnerable"},
		"one is not seen": {reachable, `test "$GOOS" != windows`, "could not look"},
	} {
		steps, err := recorded(t, tc.database, tc.govulncheck)
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
		if slices.ContainsFunc(steps, func(step string) bool { return strings.HasPrefix(step, "build") }) {
			t.Errorf("%s: it builds: %q", name, steps)
		}
	}
}
