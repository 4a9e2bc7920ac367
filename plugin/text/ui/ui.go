// Package ui is how the tool talks: marks, aligned lines, progress and errors
// on stderr. It decides nothing and knows nothing of clusters or clouds; data
// for scripts goes to stdout and is not its business.
package ui

import (
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// Style is what the terminal can show.
type Style struct {
	Terminal bool   // lines may be rewritten in place
	Color    bool   // never the only carrier of meaning
	UTF8     bool   // ✔ and ✗ instead of ok and FAIL
	Command  string // how the user calls us, where it is not "oc ostoy-s3"
}

// UI writes talk for people. It is safe for concurrent use.
type UI struct {
	style Style
	now   func() time.Time
	csi   string // see New

	mu    sync.Mutex
	out   io.Writer
	drawn int // lines of board that stand at the cursor and may be rewritten
	board *Board
}

// New makes a UI that writes to out; now is the clock of progress lines.
//
// Its own control sequences (ECMA-48) begin with csi until they are written: a byte that
// no UTF-8 has, and random letters, so that no text of others can have it, not even one
// that is not UTF-8. All else that controls a terminal is replaced when it is written.
func New(out io.Writer, style Style, now func() time.Time) *UI {
	return &UI{out: out, style: style, now: now, csi: "\xff" + rand.Text()}
}

// Mark is the sign in front of a line.
type Mark int

// The marks, and what they stand for.
const (
	None    Mark = iota
	Done         // reached
	Failed       // wrong
	Warned       // worth a look
	Kept         // left as it is, skipped
	Added        // would be or was created
	Changed      // would be or was changed
	Removed      // would be or was deleted
	Busy         // on its way
)

type glyph struct{ fancy, plain, color string }

// glyphOf gives a mark's looks. ASCII terminals get words of one width.
func glyphOf(m Mark) glyph {
	const green, red, yellow, dim = "32", "31", "33", "2"
	switch m {
	case Done:
		return glyph{"✔", "ok  ", green}
	case Failed:
		return glyph{"✗", "FAIL", red}
	case Warned:
		return glyph{"!", "warn", yellow}
	case Kept:
		return glyph{"-", "skip", dim}
	case Added:
		return glyph{"+", "+   ", green}
	case Changed:
		return glyph{"~", "~   ", yellow}
	case Removed:
		return glyph{"×", "del ", red}
	case Busy:
		return glyph{"…", "... ", dim}
	default:
		return glyph{" ", "    ", ""}
	}
}

// Sign is a mark alone, for a line that the caller puts together.
func (u *UI) Sign(m Mark) string { return u.mark(m) }

func (u *UI) mark(m Mark) string {
	g := glyphOf(m)
	text := g.plain
	if u.style.UTF8 {
		text = g.fancy
	}
	return u.paint(text, g.color)
}

func (u *UI) paint(text, color string) string {
	if !u.style.Color || color == "" {
		return text
	}
	return u.csi + color + "m" + text + u.csi + "0m"
}

// Strong is a text in bold, where the terminal has that.
func (u *UI) Strong(text string) string { return u.paint(text, "1") }

// print writes text, with the name by which the user calls us: messages speak of
// "oc ostoy-s3", and a kubectl user must be able to type what they read.
func (u *UI) print(text string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.drawn = 0 // a line below a board: the board can no longer be rewritten
	u.write(text)
}

func (u *UI) write(text string) {
	if u.style.Command != "" {
		text = strings.ReplaceAll(text, "oc ostoy-s3", u.style.Command)
	}
	_, _ = io.WriteString(u.out, u.shown(text))
}

// shown is a text as it is written: nothing in it controls the terminal but the
// sequences of u.
func (u *UI) shown(text string) string {
	parts := strings.Split(text, u.csi)
	for n := range parts {
		parts[n] = plain.Text(parts[n])
	}
	return strings.Join(parts, "\x1b[")
}

// Line prints one line without a mark. Line feeds in it are blanks, here and wherever a
// text is one line: what others wrote cannot begin a line of its own.
func (u *UI) Line(text string) { u.print(oneLine(text) + "\n") }

// Linef is Line with a format.
func (u *UI) Linef(format string, args ...any) { u.Line(fmt.Sprintf(format, args...)) }

// Marked prints one line behind a mark.
func (u *UI) Marked(m Mark, format string, args ...any) {
	u.Line(u.mark(m) + " " + fmt.Sprintf(format, args...))
}

// planIndent is where the text of a plan's line begins.
const planIndent = "              "

// Plan prints one line of a plan; further lines of text stand below the first.
func (u *UI) Plan(m Mark, what, text string) {
	u.print(fmt.Sprintf("  %s %-9s %s\n", u.mark(m), oneLine(what), under(text)))
}

// Detail prints what belongs to the line of the plan before it.
func (u *UI) Detail(text string) { u.print(planIndent + under(text) + "\n") }

func under(text string) string { return strings.ReplaceAll(text, "\n", "\n"+planIndent) }

// Row is a label, what is said, and where it comes from.
type Row struct{ Label, Text, From string }

// Rows prints rows with their columns aligned; further lines of a text stand below its
// first.
func (u *UI) Rows(rows []Row) {
	label, text := 0, 0
	for _, row := range rows {
		label = max(label, len(row.Label))
		if first, _ := headline(row.Text); row.From != "" {
			text = max(text, len([]rune(first)))
		}
	}
	for _, row := range rows {
		first, rest := headline(row.Text)
		line := fmt.Sprintf("%-*s  %s", label, row.Label, first)
		if row.From != "" {
			pad := strings.Repeat(" ", max(0, text-len([]rune(first))))
			line += pad + "  " + u.paint("from "+row.From, "2")
		}
		u.Line(strings.TrimRight(line, " "))
		if rest != "" {
			u.lines(strings.Repeat(" ", label+2), strings.Split(rest, "\n"))
		}
	}
}
