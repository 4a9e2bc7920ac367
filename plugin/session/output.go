package session

import (
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// What a command writes to stdout leaves by this file or by Report. What clusters,
// registries and AWS sent is in most of it, and none of that controls the terminal of the
// reader.

// Format is an output format; each use case knows its own.
type Format string

// The formats.
const (
	FormatTable Format = "table"
	FormatWide  Format = "wide" // the table with more in it
	FormatYAML  Format = "yaml"
	FormatJSON  Format = "json"
	FormatJUnit Format = "junit"
)

// WriteDocument prints anything as JSON or YAML.
func (s *Session) WriteDocument(format Format, value any) error {
	text, err := plain.JSON(value)
	if err == nil && format == FormatYAML {
		// By way of JSON, whose strings are clean: YAML has escapes of its own.
		text, err = yaml.JSONToYAML(text)
	}
	if err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	return s.WriteText(string(text))
}

// WriteJSON prints a document as JSON.
func (s *Session) WriteJSON(value any) error { return s.WriteDocument(FormatJSON, value) }

// WriteTable prints rows of cells, aligned.
func (s *Session) WriteTable(rows [][]string) error {
	return s.WriteText(strings.Join(Columns(rows), "\n") + "\n")
}

// WriteLine prints one line: an address, the name of a file, a command.
func (s *Session) WriteLine(text string) error {
	return s.WriteText(plain.InLine(text) + "\n")
}

// WriteText prints text, cleaned of what controls a terminal.
func (s *Session) WriteText(text string) error {
	_, err := io.WriteString(s.Streams.Out, plain.Text(text))
	return err
}

// WriteData prints what other programs read, byte for byte: manifests, chart values,
// scripts, policies. It is not cleaned, because a changed byte changes what it does. It
// does not need to be: names and facts are validated, YAML and JSON escape what controls
// a terminal. What is left, such as a character that changes the direction of writing in
// a value or in a chart of somebody else, is refused: the output would be read
// differently from what it does.
func (s *Session) WriteData(text string) error {
	line := 1
	for _, r := range text {
		switch {
		case r == '\n':
			line++
		case r != '\t' && !plain.Shows(r):
			return unshown(r, line)
		}
	}
	_, err := io.WriteString(s.Streams.Out, text)
	return err
}

func unshown(r rune, line int) error {
	return &problem.Error{
		Kind: problem.Usage,
		What: "the output is not printed: a terminal does not show a character in it as it is",
		Why:  fmt.Sprintf("%U, in line %d of the output, controls the terminal or the direction of writing, or is not UTF-8", r, line),
		Next: "remove it from the values, the overlay or the chart that contains it",
	}
}

// Columns aligns rows of cells, two blanks between columns; each row stays one line.
func Columns(cells [][]string) []string {
	rows := make([][]string, len(cells))
	for n := range cells {
		rows[n] = plain.InLines(cells[n])
	}
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-len([]rune(cell))+2))
		}
		lines[n] = strings.TrimRight(line.String(), " ")
	}
	return lines
}
