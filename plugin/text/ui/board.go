package ui

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Board shows the state of several things at once. On a terminal each has one
// line, rewritten in place; elsewhere every change of state is one plain line.
type Board struct {
	ui    *UI
	start time.Time

	mu    sync.Mutex
	lines []boardLine
	width int // of the names
}

type boardLine struct {
	name string
	mark Mark
	text string
	at   time.Duration
}

// Board starts a board; its times count from now. names gives the width of the
// first column, so that lines that come later stay aligned.
func (u *UI) Board(names ...string) *Board {
	b := &Board{ui: u, start: u.now()}
	for _, name := range names {
		b.width = max(b.width, len(oneLine(name)))
	}
	return b
}

// Set says what state a thing is in. The same state twice is said once.
func (b *Board) Set(name string, mark Mark, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name = oneLine(name)
	line := boardLine{name, mark, oneLine(text), b.ui.now().Sub(b.start)}
	b.width = max(b.width, len(name))
	for i, old := range b.lines {
		if old.name != name {
			continue
		}
		if old.mark == mark && old.text == line.text {
			return
		}
		b.lines[i] = line
		b.show(line)
		return
	}
	b.lines = append(b.lines, line)
	b.show(line)
}

// Glimpse is Set for what is worth a look while it lasts, and no line of its own
// where lines stay.
func (b *Board) Glimpse(name string, mark Mark, text string) {
	if b.ui.style.Terminal {
		b.Set(name, mark, text)
	}
}

// Conclude says the last word on a thing: in full, without a time, and below all
// others, which are not rewritten any more.
func (b *Board) Conclude(name string, mark Mark, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name = oneLine(name)
	b.width = max(b.width, len(name))
	last := fmt.Sprintf("%s %-*s  %s\n", b.ui.mark(mark), b.width, name, oneLine(text))
	if !b.ui.style.Terminal {
		b.ui.print(last)
		return
	}
	b.lines = slices.DeleteFunc(b.lines, func(line boardLine) bool { return line.name == name })
	var out strings.Builder
	for _, line := range b.lines {
		out.WriteString(b.ui.clearLine() + b.format(line) + "\n")
	}
	b.redraw(out.String()+b.ui.clearLine()+last, 0)
}

// show draws after a change: everything on a terminal, the line elsewhere.
func (b *Board) show(changed boardLine) {
	if !b.ui.style.Terminal {
		b.ui.Line(b.format(changed))
		return
	}
	var out strings.Builder
	for _, line := range b.lines {
		out.WriteString(b.ui.clearLine() + b.format(line) + "\n")
	}
	b.redraw(out.String(), len(b.lines))
}

// clearLine goes to the beginning of the line and empties it.
func (u *UI) clearLine() string { return u.csi + "G" + u.csi + "2K" }

// redraw writes the board over its last picture, or below where something else was
// written since, another board included.
func (b *Board) redraw(text string, lines int) {
	u := b.ui
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.drawn > 0 && u.board == b {
		text = u.csi + fmt.Sprintf("%dA", u.drawn) + text
	}
	u.drawn, u.board = lines, b
	u.write(text)
}

// format writes one line; the time stands at the end in a column of its own.
// A terminal line must not wrap, or rewriting it would go astray.
func (b *Board) format(line boardLine) string {
	const columns, others, least = 80, 2 + 2 + 8, 24 // mark, gap, time
	width := max(columns-others-b.width, least)
	text := []rune(line.text)
	if b.ui.style.Terminal && len(text) > width {
		text = append(text[:width-1], '~')
	}
	pad := strings.Repeat(" ", max(0, width-len(text)))
	return fmt.Sprintf("%s %-*s  %s%s %6.1fs", b.ui.mark(line.mark), b.width, line.name, string(text), pad, line.at.Seconds())
}
