package render

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	yamlv2 "go.yaml.in/yaml/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// YAML writes objects as one stream, keys sorted, each document led by "---".
// The bytes are those of sigs.k8s.io/yaml, which goes by way of JSON and takes
// three times as long with the same library, except for those of Document.
func YAML(objects []*unstructured.Unstructured) ([]byte, error) {
	var out bytes.Buffer
	for _, object := range objects {
		text, err := Document(object.Object)
		if err != nil {
			return nil, fmt.Errorf("write %s %s: %w", object.GetKind(), object.GetName(), err)
		}
		out.WriteString("---\n")
		out.Write(text)
	}
	return out.Bytes(), nil
}

// Document writes a value as YAML, keys sorted. A character that is read differently from
// what it does (unseen) is an escape in it: the library only escapes what YAML forbids.
func Document(value map[string]any) ([]byte, error) {
	text, err := yamlv2.Marshal(value)
	if err != nil || !bytes.ContainsFunc(text, unseen) {
		return text, err
	}
	// The library writes a string with U+FFFF in double quotes, and U+FFFF as \uFFFF in
	// them. What follows it here is an escape, between signs that value has not.
	sign := unused(string(text))
	marked := func(r rune) string { return "\uffff" + sign + escape(r) + sign }
	if text, err = yamlv2.Marshal(withStrings(value, func(s string) string { return replaced(s, marked) })); err != nil {
		return nil, err
	}
	marks := regexp.MustCompile(`\\uFFFF` + sign + `([uU][0-9A-F]+)` + sign)
	return marks.ReplaceAll(text, []byte(`\$1`)), nil
}

// unused is a word that a text has not.
func unused(text string) string {
	for n := 0; ; n++ {
		if word := fmt.Sprintf("x%dx", n); !strings.Contains(text, word) {
			return word
		}
	}
}

// escape is a character's escape in YAML, without the backslash.
func escape(r rune) string {
	if r > 0xffff {
		return fmt.Sprintf("U%08X", r)
	}
	return fmt.Sprintf("u%04X", r)
}

// unseen reports whether a character that YAML allows changes the direction of what is
// written beside it (Unicode's Bidi_Control), ends a line for some readers and not for
// others, stands for what is not UTF-8, or is none (Unicode's noncharacters).
func unseen(r rune) bool {
	switch {
	case r == '\u061c', r == '\u200e', r == '\u200f', '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
		return true
	case r == '\u2028', r == '\u2029', r == '\ufffd':
		return true
	}
	return '\ufdd0' <= r && r <= '\ufdef' || r&0xfffe == 0xfffe
}

func replaced(text string, by func(rune) string) string {
	if !utf8.ValidString(text) { // the library writes it as base64
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if unseen(r) {
			out.WriteString(by(r))
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// withStrings is a copy of a value with what with makes of each text and key in it.
func withStrings(value any, with func(string) string) any {
	switch value := value.(type) {
	case string:
		return with(value)
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, one := range value {
			out[with(key)] = withStrings(one, with)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for n, one := range value {
			out[n] = withStrings(one, with)
		}
		return out
	}
	return value
}
