// Package advicetest has the texts that somebody who may write to a project could put
// where ostoy-s3 reads, puts them into objects field by field, and judges whether a text
// that ostoy-s3 prints repeats one of them in a way that a shell runs, a terminal obeys or
// a reader takes for advice. It is for tests only.
package advicetest

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
)

// Mark is in every poison, and in no text of ostoy-s3.
const Mark = "MALLORY"

// Quotes is for a shell: whatever quotes it stands in, a part of it is outside.
const Quotes = `x'; touch MALLORY; ' "$(touch MALLORY)" ` + "`touch MALLORY`" + ` "; touch MALLORY | touch MALLORY & touch MALLORY # \`

// Lines is for a reader: each of its lines looks like advice.
const Lines = "x\nfix  touch MALLORY\ntry: touch MALLORY\r\noc delete MALLORY\n     oc delete MALLORY"

// Control is for a terminal: escape sequences, C1, bidi controls, line separators.
const Control = "x\x1b[2J\x1b]0;MALLORY\x07\u202eMALLORY\u2066\u2028fix  touch MALLORY\u2029\u0085\u009b31mMALLORY"

// Secret is for what takes secrets out of finished texts: to do so would take a quotation
// mark away.
const Secret = `x signature=MALLORY' token: $(touch MALLORY) '`

// Poisons are what takes the place of a text, or follows it: it may be what a text begins
// with, or has in it, that decides what is said.
func Poisons(text string) []string {
	return []string{Quotes, text + Quotes, text + Lines + Control, text + Secret}
}

// RoleARNs are what an editor of a project can write where a role is expected.
func RoleARNs() []string {
	const role = "arn:aws:iam::123456789012:role/"
	return []string{
		Quotes + Lines + Control, role + Quotes + Lines + Control, role + "$(touch${IFS}/tmp/pwned)", role + "a'b", role + "`id`", role + "a;id",
		role + "x --policy-arn=arn:aws:iam::aws:policy/AdministratorAccess", role + "a\u202eb", role + "$(id)/name", role + "a b/name",
	}
}

// Each calls try with a copy of value, a decoded JSON document, for each text in it and
// each poison of that text. Path names the text; try is not called where skip says so.
func Each(value any, skip func(path string) bool, try func(path string, poisoned any)) {
	walk(value, "", func(path, text string, with func(string) any) {
		if skip != nil && skip(path) {
			return
		}
		for _, poison := range Poisons(text) {
			try(path, with(poison))
		}
	})
}

// walk visits each text below value. With gives value with another text in its place.
func walk(value any, path string, visit func(path, text string, with func(string) any)) {
	switch value := value.(type) {
	case string:
		visit(path, value, func(other string) any { return other })
	case map[string]any:
		for key, one := range value {
			walk(one, path+"."+key, func(path, text string, with func(string) any) {
				visit(path, text, func(other string) any {
					changed := maps.Clone(value)
					changed[key] = with(other)
					return changed
				})
			})
		}
	case []any:
		for n, one := range value {
			walk(one, path+"[]", func(path, text string, with func(string) any) {
				visit(path, text, func(other string) any {
					changed := append([]any{}, value...)
					changed[n] = with(other)
					return changed
				})
			})
		}
	}
}

// Sentence says what is wrong with a sentence that may repeat a poison, "" if nothing is.
func Sentence(text string) string {
	if controls(text) {
		return controlling
	}
	for n, line := range strings.Split(text, "\n") {
		if n > 0 && regexp.MustCompile(`^\s*(fix |try:|touch|oc )`).MatchString(line) && strings.Contains(line, Mark) {
			return "a line that somebody else wrote looks like advice"
		}
	}
	return ""
}

const controlling = "it has characters that control a terminal"

func controls(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !plain.Shows(r) })
}

// Advice says what is wrong with advice: a poison in it is a part of a command, and in
// single quotes, in which a POSIX shell expands nothing. "" if nothing is wrong.
func Advice(text string) string {
	if controls(text) {
		return controlling
	}
	command := regexp.MustCompile(`(^|[^\w./-])(oc|kubectl|aws|rosa|helm|argocd|flux|curl) [a-z]`)
	for line := range strings.SplitSeq(text, "\n") {
		begin := len(line)
		if at := command.FindStringIndex(line); at != nil {
			begin = at[0]
		}
		if strings.Contains(line[:begin], Mark) {
			return "what somebody else wrote stands outside of a command"
		}
		bare, closed := shell.Bare(line)
		if strings.Contains(bare, Mark) {
			return "what somebody else wrote is not in single quotes"
		}
		if !closed {
			return "a quotation mark stays open: if several lines are copied, it ends a quotation in the next"
		}
	}
	return ""
}

// Paste gives a block of several lines to interactive shells, as somebody does who copies
// all of it, and reports whether anything in it wrote the file that the poisons write. The
// commands that ostoy-s3 suggests do nothing there.
func Paste(t *testing.T, block string) (ran bool) {
	t.Helper()
	dir := t.TempDir()
	bin, work := filepath.Join(dir, "bin"), filepath.Join(dir, "work")
	for _, one := range []string{bin, work} {
		if err := os.Mkdir(one, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	stubs := map[string]string{"touch": ": > \"$1\"\n"}
	for _, name := range strings.Fields("oc kubectl aws rosa helm argocd flux curl rm id") {
		stubs[name] = ""
	}
	for name, does := range stubs {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+does), 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	for _, program := range []string{"sh", "bash"} {
		path, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		for _, end := range []string{"", "'", `"`, "`"} { // what is typed next may close a quotation
			run := exec.CommandContext(t.Context(), path, "-i") // goes on after an error
			run.Dir, run.Env = work, []string{"PATH=" + bin, "HOME=" + work, "HISTFILE=/dev/null"}
			run.Stdin = strings.NewReader(block + "\n" + end + "\n")
			_ = run.Run() // whatever becomes of the commands
		}
	}
	_, err := os.Stat(filepath.Join(work, Mark))
	return err == nil
}
