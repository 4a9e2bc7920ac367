package shell

import "strings"

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
