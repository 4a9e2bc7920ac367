// Package shell writes words and here-documents so that a POSIX shell reads them
// as they are. Who prints commands for a person to run calls it: rolecode, manual,
// and the use cases for the lines they advise. It is pure, runs nothing, and knows
// no command by name.
package shell

import (
	"slices"
	"strconv"
	"strings"
)

// Quote makes one word of any text, always in quotation marks: nothing in it is
// expanded (POSIX.1, Shell Command Language, 2.2.2 Single-Quotes). Text has no NUL.
func Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// Word is Quote, but for words that need no quotation marks.
func Word(text string) string {
	harmless := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@+,", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !harmless(r) }) < 0 {
		return text
	}
	return Quote(text)
}

// Words are several words, with a blank between two.
func Words(all ...string) string {
	var quoted []string
	for _, one := range all {
		quoted = append(quoted, Word(one))
	}
	return strings.Join(quoted, " ")
}

// Here is a command that reads a text from its standard input: a here-document
// of which nothing is expanded, whose delimiter is no line of the text, not even
// indented: people and linters would take that for the end. The text is empty or
// ends in a line feed; what is returned does, too.
func Here(command, text string) string {
	const first = 2
	delimiter, lines := "EOF", strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	for n := first; slices.Contains(lines, delimiter); n++ {
		delimiter = "EOF" + strconv.Itoa(n)
	}
	return command + " <<'" + delimiter + "'\n" + text + delimiter + "\n"
}

// Bare is what of a text a POSIX shell reads outside of single quotation marks, where it
// expands, and whether all quotation marks are closed at the end (POSIX.1, Shell Command
// Language, 2.2 Quoting). Comments are read as the rest: not every shell has them.
func Bare(text string) (bare string, closed bool) {
	var out strings.Builder
	var quote rune // the mark that is open
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote == r:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case quote == '\'':
			continue
		}
		out.WriteRune(r)
	}
	return out.String(), quote == 0 && !escaped
}

// Closed reports whether all quotation marks of each line of a text are closed in it. A
// line that leaves one open, such as an apostrophe in a sentence, ends the quotation of a
// word in the next line, if somebody copies both.
func Closed(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if _, closed := Bare(line); !closed {
			return false
		}
	}
	return true
}
