package ui

import (
	"fmt"
	"strings"
)

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
