// Package plain makes text that others wrote safe to show: what would control a
// terminal, or show a text in another order than it has, becomes a space. Everything
// that prints calls it, so that nothing before has to. It knows no secrets, and no words.
package plain

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is a text with a space for each control character other than line feed and tab
// (Unicode's Cc: C0, DEL and C1, so ESC and CSI), line and paragraph separator (U+2028,
// U+2029), character that changes the direction of writing (Unicode's Bidi_Control),
// noncharacter (which YAML does not allow), and byte that is not UTF-8.
func Text(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || Shows(r) {
			return r
		}
		return ' '
	}, text)
}

// Line is Text in one line.
func Line(text string) string { return strings.Join(strings.Fields(Text(text)), " ") }

// InLine keeps a text to one line, so that none of it can look like a line of this tool,
// such as one with a command to copy. Unlike Line it keeps blanks.
func InLine(text string) string {
	return strings.TrimRight(strings.NewReplacer("\n", " ", "\t", " ").Replace(Text(text)), " ")
}

// InLines is InLine for each of several texts.
func InLines(texts []string) []string {
	all := make([]string, len(texts))
	for n, text := range texts {
		all[n] = InLine(text)
	}
	return all
}

// maxSaid is where Said cuts: an error of AWS may quote a whole policy.
const maxSaid = 400

// Said is what another program said, in one line of bearable length.
func Said(text string) string {
	text = Line(text)
	if len(text) > maxSaid {
		text = strings.ToValidUTF8(text[:maxSaid], "") + "..."
	}
	return text
}

// Shows reports whether a terminal shows a character, in the place where it stands.
// Line feed and tab are none of these.
func Shows(r rune) bool {
	return r != utf8.RuneError && !unicode.IsControl(r) && r != '\u2028' && r != '\u2029' &&
		!unicode.Is(unicode.Bidi_Control, r) && !unicode.Is(unicode.Noncharacter_Code_Point, r)
}

// JSON is value as indented JSON, each string in it as Text leaves it: who reads it with
// jq -r gets nothing that a table would not show. The error is that of encoding/json.
func JSON(value any) ([]byte, error) {
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return []byte(Text(unescaped(raw.String()))), nil
}

// unescaped replaces the escapes of JSON text that stand for what Text replaces. In what
// encoding/json writes, a backslash only stands at the beginning of an escape.
func unescaped(text string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, `\`)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		escape := after[:1]
		if escape == "u" {
			escape = after[:len("u0000")]
		}
		out.WriteString(shownAs(escape))
		text = after[len(escape):]
	}
}

// shownAs is an escape, without its backslash, as it is to stand in the text.
func shownAs(escape string) string {
	switch {
	case escape == "b", escape == "f", escape == "r":
		return " "
	case escape[0] != 'u':
		return `\` + escape
	}
	var one string
	if json.Unmarshal([]byte(`"\`+escape+`"`), &one) == nil && Text(one) != one {
		return " "
	}
	return `\` + escape
}

// Writer is Text for what is written to w. Each Write is taken for a whole text, as
// loggers write them.
func Writer(w io.Writer) io.Writer { return Through(w, Text) }

// Through writes to w what clean makes of each text.
func Through(w io.Writer, clean func(string) string) io.Writer { return &writer{w, clean} }

type writer struct {
	to    io.Writer
	clean func(string) string
}

func (w *writer) Write(text []byte) (int, error) {
	if _, err := io.WriteString(w.to, w.clean(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}
