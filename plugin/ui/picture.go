package ui

import "strings"

// Picture draws lines over the picture drawn before, or below where something
// else was written since. It is for a terminal; a line that is too long for it is
// cut off there, since one that wraps would spoil the next picture.
func (u *UI) Picture(lines []string) {
	const noWrap, wrap, clearBelow = csi + "?7l", csi + "?7h", csi + "J"
	var out strings.Builder
	out.WriteString(noWrap)
	for _, line := range lines {
		out.WriteString(clearLine + line + "\n")
	}
	out.WriteString(clearBelow + wrap)
	u.redraw(out.String(), len(lines))
}

// Terminal reports whether lines may be rewritten in place.
func (u *UI) Terminal() bool { return u.style.Terminal }
