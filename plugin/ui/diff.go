package ui

import "strings"

// Diff prints a unified diff, with its lines in colour where there is colour. What
// differs stands in the first character of each line.
func (u *UI) Diff(text string) {
	for line := range strings.Lines(text) {
		line, end := strings.CutSuffix(line, "\n")
		painted := u.paint(line, diffColor(line))
		if end {
			painted += "\n"
		}
		u.print(painted)
	}
}

// diffColor is the colour of a line of a unified diff.
func diffColor(line string) string {
	const red, green, cyan, bold, dim = "31", "32", "36", "1", "2"
	switch {
	case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
		return bold
	case strings.HasPrefix(line, "@@"):
		return cyan
	case strings.HasPrefix(line, "-"):
		return red
	case strings.HasPrefix(line, "+"):
		return green
	case strings.HasPrefix(line, "#"):
		return dim
	}
	return ""
}
