package shell

import (
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"":                     `''`,
		"demo":                 `demo`,
		"--context=a/b:c@d+e,": `--context=a/b:c@d+e,`,
		"a b":                  `'a b'`,
		"it's":                 `'it'\''s'`,
		"$(x)`y`\\\n":          "'$(x)`y`\\\n'",
		"~":                    `'~'`,
		"ü":                    `'ü'`,
	} {
		if got := Word(text); got != want {
			t.Errorf("%q becomes %s, want %s", text, got, want)
		}
		if quoted := Quote(text); quoted != want && quoted != "'"+want+"'" {
			t.Errorf("%q becomes %s in quotation marks", text, quoted)
		}
	}
	if got := Words("oc", "--context", "a b"); got != "oc --context 'a b'" {
		t.Error(got)
	}
}

// TestHere: the delimiter is quoted, and is none of the lines.
func TestHere(t *testing.T) {
	for text, delimiter := range map[string]string{
		"":                      "EOF",
		"a: $b\n":               "EOF",
		"EOFs\nEO F\n":          "EOF",
		"\t EOF \n":             "EOF2",
		"a\nEOF\nb\n":           "EOF2",
		"EOF2\nEOF\nEOF3\nEO\n": "EOF4",
	} {
		got := Here("cat", text)
		if want := "cat <<'" + delimiter + "'\n" + text + delimiter + "\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if strings.Count("\n"+got, "\n"+delimiter+"\n") != 1 {
			t.Errorf("%q ends twice", got)
		}
	}
}
