package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

// What a command writes to stdout leaves by this file or by Report: nothing else in this
// package writes to a stream. What clusters, registries and AWS sent is in most of it,
// and none of that controls the terminal of the reader.

// writeDocument prints anything as JSON or YAML.
func (a *App) writeDocument(format Format, value any) error {
	text, err := plain.JSON(value)
	if err == nil && format == FormatYAML {
		// By way of JSON, whose strings are clean: YAML has escapes of its own.
		text, err = yaml.JSONToYAML(text)
	}
	if err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	return a.writeText(string(text))
}

func (a *App) writeJSON(value any) error { return a.writeDocument(FormatJSON, value) }

// writeTable prints rows of cells, aligned.
func (a *App) writeTable(rows [][]string) error {
	return a.writeText(strings.Join(columns(rows), "\n") + "\n")
}

// writeLine prints one line: an address, the name of a file, a command.
func (a *App) writeLine(text string) error {
	return a.writeText(inLine(text) + "\n")
}

func (a *App) writeText(text string) error {
	_, err := io.WriteString(a.Streams.Out, plain.Text(text))
	return err
}

// writeData prints what other programs read, byte for byte: manifests, chart values,
// scripts, policies. It is not cleaned, because a changed byte changes what it does. It
// does not need to be: names and facts are validated, YAML and JSON escape what controls
// a terminal. What is left, such as a character that changes the direction of writing in
// a value or in a chart of somebody else, is refused: the output would be read
// differently from what it does.
func (a *App) writeData(text string) error {
	line := 1
	for _, r := range text {
		switch {
		case r == '\n':
			line++
		case r != '\t' && !plain.Shows(r):
			return unshown(r, line)
		}
	}
	_, err := io.WriteString(a.Streams.Out, text)
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

// streamOf is the stream that a UI writes to, for a program of the user's own that
// writes there itself.
func (a *App) streamOf(to *ui.UI) io.Writer {
	if to == a.Report {
		return a.Streams.Out
	}
	return a.Streams.ErrOut
}

// compact is a value as JSON in one line, to compare it.
func compact(value any) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

// columns aligns rows of cells, two blanks between columns; each row stays one line.
func columns(cells [][]string) []string {
	rows := make([][]string, len(cells))
	for n := range cells {
		rows[n] = inLines(cells[n])
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
