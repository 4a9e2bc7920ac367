package ui

import (
	"io"
	"strings"
)

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
