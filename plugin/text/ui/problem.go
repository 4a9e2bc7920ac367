package ui

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/secret"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
)

// Warn prints a warning in the two parts a reader needs.
func (u *UI) Warn(what, next string) {
	first, rest := headline(what)
	u.Marked(Warned, "%s", first)
	u.lines("  ", Quoted(rest))
	u.Try(next)
}

// Try prints what to do about what was printed before, nothing if there is nothing.
func (u *UI) Try(next string) { u.labelled("try   ", strings.Join(Advised(next), "\n")) }

// Advised are the lines of what to do, as they can be copied. A line with a secret is left
// out as a whole: to hide a part of a command could take a quotation mark away. A line
// that leaves a quotation mark open would end a quotation in the next line. If it has only
// one it is a sentence with an apostrophe, and gets one that a shell does not obey. Else
// it may have a quoted word as well, and is left out.
func Advised(next string) []string {
	lines := strings.Split(next, "\n")
	for n, line := range lines {
		switch {
		case secret.Hide(line) != line:
			lines[n] = secret.Hidden
		case shell.Closed(line):
		case strings.Count(line, "'")+strings.Count(line, `"`) != 1:
			lines[n] = secret.Hidden
		default:
			lines[n] = strings.NewReplacer("'", "\u2019", `"`, "\u201d").Replace(line)
		}
	}
	return lines
}

// Problem prints an error: what, why, what to do, where to read more. Errors
// quote what others wrote, so this is the last place to hide what is secret.
func (u *UI) Problem(what, why, next, more string) {
	first, rest := headline(secret.Hide(what))
	u.Marked(Failed, "%s", first)
	u.lines("  ", Quoted(strings.TrimSpace(rest+"\n"+secret.Hide(why))))
	u.Try(next)
	u.labelled("more  ", secret.Hide(more))
}

// Item prints a line of a list behind a mark: a name, padded to a width, and beside it
// lines that stand below each other.
func (u *UI) Item(m Mark, name string, width int, lines ...string) {
	const first = "  x " // what stands before the name
	var text string
	if len(lines) > 0 {
		text = oneLine(lines[0])
	}
	u.Linef("  %s %-*s %s", u.mark(m), width-1, name, text)
	if len(lines) > 1 {
		u.lines(strings.Repeat(" ", len(first)+width), lines[1:])
	}
}

// Quoted are the lines of a text that others may have written. A line that looks like one
// of ours stands behind a bar, and so do all after it: else what an object of a cluster
// says could look like a command that we suggest, or like a further result.
func Quoted(text string) []string {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	barred := LikeOurs(text)
	for n, line := range lines {
		line = unpadded(strings.TrimRight(line, " "))
		if barred = barred || n > 0 && (LikeOurs(line) || likeCommand.MatchString(line)); barred {
			line = "| " + line
		}
		lines[n] = line
	}
	return lines
}

// unpadded is a line without the blanks that would move what follows them to the
// beginning of a terminal's next line.
func unpadded(line string) string { return padding.ReplaceAllString(line, "$1   ") }

var padding = regexp.MustCompile(`([^ ]) {4,}`)

// likeCommand is how a line begins that somebody could copy as the second one of a
// suggestion.
var likeCommand = regexp.MustCompile(`^[^\pL\pN\pP\pS]*(oc|kubectl|aws|rosa|helm|argocd|flux|curl|sudo|sh|bash)\s`)

// likeOurs is how our lines with a label or a mark begin; before it may stand what is
// not seen.
var likeOurs = regexp.MustCompile(`^[^\pL\pN\pP\pS]*((?i:(try|fix)\PL|(more|next|hint)(\s\s|\s*:))|[✔✗!×~…]|(ok|FAIL|warn|skip|del)\s)`)

// LikeOurs reports whether a text begins as a line of ours does.
func LikeOurs(text string) bool { return likeOurs.MatchString(text) }

// headline is the first line of a text, and the others.
func headline(text string) (first, rest string) {
	first, rest, _ = strings.Cut(strings.TrimSpace(text), "\n")
	return unpadded(first), rest
}

// labelled prints a text behind a label, its further lines below it.
func (u *UI) labelled(label, text string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return
	}
	lines := strings.Split(text, "\n")
	u.Line("  " + label + lines[0])
	u.lines("  "+strings.Repeat(" ", len(label)), lines[1:])
}

func (u *UI) lines(indent string, lines []string) {
	for _, line := range lines {
		u.Line(strings.TrimRight(fmt.Sprint(indent, line), " "))
	}
}

// oneLine is a text as one line. What controls the terminal stays: in it may be sequences
// of a UI, and all else is replaced when it is written.
func oneLine(text string) string { return strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", " ") }

// Patch prints a unified diff, with colours where there are any. Unlike all else it may
// be data: our own name is not replaced in it, and a reader who has gone is an error.
func (u *UI) Patch(text string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.drawn = 0
	_, err := io.WriteString(u.out, u.shown(u.coloured(text)))
	return err
}

func (u *UI) coloured(text string) string {
	if !u.style.Color {
		return text
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		content, ended := strings.CutSuffix(line, "\n")
		out.WriteString(u.paint(content, patchColor(content)))
		if ended {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// patchColor is the colour of a line of a unified diff, as diff --color and git
// have it.
func patchColor(line string) string {
	const green, red, cyan, bold, dim = "32", "31", "36", "1", "2"
	switch {
	case strings.HasPrefix(line, "diff "), strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
		return bold
	case strings.HasPrefix(line, "@@ "):
		return cyan
	case strings.HasPrefix(line, "# "):
		return dim
	case strings.HasPrefix(line, "+"):
		return green
	case strings.HasPrefix(line, "-"):
		return red
	}
	return ""
}
