package plain

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"plain ü 漢字 → ✔":               "plain ü 漢字 → ✔",
		"two\nlines\tand a tab":        "two\nlines\tand a tab",
		"\x1b[31mred\x1b[0m":           " [31mred [0m",
		"\x1b]0;title\x07\x9b2J\u009b": " ]0;title  2J ",
		"a\rb\bc\x00d\x7fe":            "a b c d e",
		"a\u2028b\u2029c":              "a b c",
		"\u202eevil\u202c \u2066x\u2069 \u200e\u200f\u061c": " evil   x     ",
		"none: \ufffe\uffff\ufdd0":                          "none:    ",
		"not UTF-8: \xff\xfe":                               "not UTF-8:   ",
	} {
		if got := Text(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := Line(" a\n\x1b[2K  try  it\t"); got != "a [2K try it" {
		t.Error(got)
	}
}

func TestWriter(t *testing.T) {
	var out strings.Builder
	n, err := Writer(&out).Write([]byte("a\x1b[31mb\n"))
	if err != nil || n != len("a\x1b[31mb\n") || out.String() != "a [31mb\n" {
		t.Errorf("%d, %v, %q", n, err, out.String())
	}
}

// TestJSON: the strings of a document are those of Text, whatever escapes they need, and
// the document stays what it was otherwise.
func TestJSON(t *testing.T) {
	value := map[string]any{
		"escape":  "\x1b[31m \\u001b \\\\x \" </a> \b\f\r\n\t \u2028 \u202e \x7f \u009b \xff",
		"key\x1b": []any{1.5, true, nil, "漢字"},
	}
	text, err := JSON(value)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err, string(text))
	}
	if want := Text(value["escape"].(string)); got["escape"] != want {
		t.Errorf("%q, want %q", got["escape"], want)
	}
	if list, ok := got["key "].([]any); !ok || len(list) != 4 || list[3] != "漢字" {
		t.Errorf("%v", got)
	}
	if !strings.Contains(string(text), `</a>`) || !strings.HasSuffix(string(text), "}\n") {
		t.Errorf("%s", text)
	}
	if _, err := JSON(func() {}); err == nil {
		t.Error("a function has no JSON")
	}
}

func TestSaid(t *testing.T) {
	if got := Said(" a\n\tb "); got != "a b" {
		t.Errorf("short: %q", got)
	}
	for _, letter := range []string{"x", "ä", "漢"} {
		got := Said(strings.Repeat(letter, maxSaid))
		if letter == "x" && got != strings.Repeat("x", maxSaid) {
			t.Errorf("as long as may be: %q", got)
		}
		if rest, cut := strings.CutSuffix(got, letter+"..."); letter != "x" && (!cut || strings.Trim(rest, letter) != "" || len(got) > maxSaid+3) {
			t.Errorf("too long: %q", got)
		}
	}
}
