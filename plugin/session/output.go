package session

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
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
func (s *Session) WriteLine(text string) error { return s.WriteText(plain.InLine(text) + "\n") }

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
			return problem.Input("the output is not printed: a terminal does not show a character in it as it is",
				fmt.Sprintf("%U, in line %d of the output, controls the terminal or the direction of writing, or is not UTF-8", r, line),
				"remove it from the values, the overlay or the chart that contains it")
		}
	}
	_, err := io.WriteString(s.Streams.Out, text)
	return err
}

// WriteObjects prints objects as YAML below a comment, by WriteData.
func (s *Session) WriteObjects(comment string, objects []*unstructured.Unstructured) error {
	text, err := render.YAML(objects)
	if err != nil {
		return err
	}
	return s.WriteData(comment + string(text))
}

// Columns aligns rows of cells, two blanks between columns; each row stays one line.
func Columns(cells [][]string) []string {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, row := range cells {
		fmt.Fprintln(table, strings.Join(plain.InLines(row), "\t"))
	}
	_ = table.Flush() // a Builder accepts everything
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for n, line := range lines {
		lines[n] = strings.TrimRight(line, " ")
	}
	return lines
}
