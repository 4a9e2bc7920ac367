package reach

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// adviser collects what the tool advises, and runs each of it once, as somebody who
// copies it into a shell.
type adviser struct {
	mu   sync.Mutex
	seen map[string]bool
	path string // with programs that do nothing
}

func newAdviser(t *testing.T) *adviser {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"oc", "kubectl", "aws", "rosa", "helm", "curl", "git"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nexit 0\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	touch, err := exec.LookPath("touch")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(touch, filepath.Join(dir, "touch")); err != nil {
		t.Fatal(err)
	}
	a := &adviser{seen: map[string]bool{}, path: dir}
	a.wantSharp(t)
	return a
}

// wantSharp shows that the test would see a command that is not quoted.
func (a *adviser) wantSharp(t *testing.T) {
	t.Helper()
	for _, text := range []string{"oc get pod " + poisons()[2], "look: oc get pod x" + poisons()[2] + " -n y", "touch MARKER", "see (oc get pod `touch MARKER`), then go on"} {
		if a.harmless(t, text) {
			t.Errorf("the test does not see what %q does", text)
		}
	}
	for _, text := range []string{`oc get pod ''\''; touch MARKER; '\'''`, "it's there: oc get pod x", "oc get pod '$(touch MARKER)' -n x, then oc get pods"} {
		if !a.harmless(t, text) {
			t.Errorf("the test takes %q for harmful", text)
		}
	}
}

// want wants all advice in what a command printed to be harmless.
func (a *adviser) want(t *testing.T, out run.Result) {
	t.Helper()
	all, document := advisedIn(out)
	if !document {
		all = advised(out.Stdout)
	}
	for _, advice := range append(all, advised(out.Stderr)...) {
		a.mu.Lock()
		known := a.seen[advice]
		a.seen[advice] = true
		a.mu.Unlock()
		if !known && !a.harmless(t, advice) {
			t.Errorf("%s: this advice runs a command of somebody else: %s", strings.Join(out.Args, " "), advice)
		}
	}
}

// advised are the lines behind a label of the tool, and those that stand below them; and
// what begins with a label or a mark and then with mallory's own words.
func advised(text string) []string {
	label := regexp.MustCompile(`^(\s*)(try|fix|[✗✔!])(\s+)(.*)$`)
	var all []string
	below := -1 // where the text of advice begins
	hunk := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		// A hunk of a unified diff is not advice: each line of it has its sign.
		if hunk = strings.HasPrefix(line, "@@ ") || hunk && line != "" && strings.Contains("+- \\", line[:1]); hunk {
			continue
		}
		parts := label.FindStringSubmatch(line)
		switch indent := len(line) - len(strings.TrimLeft(line, " ")); {
		case parts != nil && (parts[2] == "try" || parts[2] == "fix"):
			below = len(parts[1] + parts[2] + parts[3])
			all = append(all, parts[4])
		case parts != nil:
			below = -1
			if strings.HasPrefix(parts[4], "touch ") {
				all = append(all, parts[4])
			}
		case below >= 0 && indent == below:
			all = append(all, strings.TrimSpace(line))
		default:
			below = -1
		}
	}
	return all
}

// advisedIn is the advice in a document, and whether a command printed one.
func advisedIn(out run.Result) (all []string, document bool) {
	var decoded any
	if json.Unmarshal([]byte(out.Stdout), &decoded) != nil && (!looksLikeYAML(out) || yaml.Unmarshal([]byte(out.Stdout), &decoded) != nil) {
		return nil, false
	}
	eachText(decoded, "", func(place, text string) {
		if regexp.MustCompile(`\.(hint|next|fix|try|revoke|cure|commands?)(\[\d+\])?$`).MatchString(place) {
			all = append(all, strings.Split(text, "\n")...)
		}
	})
	return all, true
}

// harmless reports whether a shell that gets a line of advice, or only a command in it,
// runs nothing of mallory's.
func (a *adviser) harmless(t *testing.T, line string) bool {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, text := range copies(line) {
		cmd := exec.CommandContext(ctx, "/bin/sh", "-c", text)
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + a.path}
		_ = cmd.Run() // it may be anything
		if _, err := os.Stat(filepath.Join(dir, marker)); err == nil {
			return false
		}
	}
	return true
}

// copies are what somebody may copy of a line: all of it, or a command in it up to the
// end or up to where the sentence may go on.
func copies(line string) []string {
	if !strings.Contains(line, marker) {
		return nil
	}
	texts := []string{line}
	for _, at := range regexp.MustCompile(`(^|[^\w./-])(oc|kubectl|aws|rosa|helm) [a-z]`).FindAllStringIndex(line, -1) {
		command := strings.TrimLeft(line[at[0]:], "(`:;, ")
		texts = append(texts, command)
		for _, end := range ends(command) {
			texts = append(texts, command[:end])
		}
	}
	return texts
}

// ends are where a sentence may go on after a command: at signs that are not quoted.
func ends(command string) []int {
	var all []int
	quote := byte(0)
	for n := 0; n < len(command); n++ {
		switch c := command[n]; {
		case quote == 0 && c == '\\', quote == '"' && c == '\\':
			n++
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case c == quote:
			quote = 0
		case quote == 0 && strings.IndexByte("),(|", c) >= 0:
			all = append(all, n)
		}
	}
	return all
}
