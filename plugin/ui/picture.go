package ui

import "strings"

// Picture draws lines over the picture drawn before, or below where something
// else was written since. It is for a terminal; a line that is too long for it is
// cut off there, since one that wraps would spoil the next picture. Elsewhere they are
// lines as any.
func (u *UI) Picture(lines []string) {
	if !u.style.Terminal {
		u.lines("", lines)
		return
	}
	const noWrap, wrap, clearBelow = "?7l", "?7h", "J"
	var out strings.Builder
	out.WriteString(u.csi + noWrap)
	for _, line := range lines {
		out.WriteString(u.clearLine() + oneLine(line) + "\n")
	}
	out.WriteString(u.csi + clearBelow + u.csi + wrap)
	u.redraw(out.String(), len(lines))
}

// Terminal reports whether lines may be rewritten in place.
func (u *UI) Terminal() bool { return u.style.Terminal }
