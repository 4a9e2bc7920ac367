package reach

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// marker is the file that appears where a text of mallory's is run as a command.
const marker = "MARKER"

// poisons are what mallory writes: what controls a terminal, what looks like lines of
// the tool's own, and what a shell runs.
func poisons() []string {
	return []string{
		"\x1b[31m\x1b]0;title\x07\x1b[2J\u009b2J\r\b\u0085\u202ex\u2066y\u200f\u2028\u2029",
		"\n  try   touch MARKER\n     fix  touch MARKER\n✗ touch MARKER\n✔ touch MARKER\ntry   touch MARKER",
		`'; touch MARKER; '"; touch MARKER; "$(touch MARKER)` + "`touch MARKER`" + `; touch MARKER #`,
	}
}

// poison chooses one of the poisons for a place; the next rotation has another one there.
type poison struct {
	rotation int
	replace  bool // the whole text, not its end
}

func (p poison) text(place, text string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(place))
	all := poisons()
	chosen := all[(int(h.Sum32()%uint32(len(all)))+p.rotation)%len(all)]
	if p.replace {
		return chosen
	}
	return text + chosen
}

func (p poison) String() string {
	how := "at the end"
	if p.replace {
		how = "instead"
	}
	return fmt.Sprintf("poison %s, rotation %d", how, p.rotation)
}

// colours are the sequences by which the tool colours a text and moves in its own lines.
var colours = regexp.MustCompile(`\x1b\[(0|1|2|31|32|33|36)m|\x1b\[([0-9]*A|G|2K|J|\?7[lh])`)

// wantClean wants nothing in what a command printed that controls a terminal.
func wantClean(t *testing.T, out run.Result) {
	t.Helper()
	for stream, text := range map[string]string{"stdout": out.Stdout, "stderr": out.Stderr} {
		wantShown(t, out, stream, text)
	}
	var document any
	if json.Unmarshal([]byte(out.Stdout), &document) == nil || looksLikeYAML(out) && yaml.Unmarshal([]byte(out.Stdout), &document) == nil {
		eachText(document, "", func(place, text string) { wantShown(t, out, "the document's "+place, text) })
	}
}

// looksLikeYAML reports whether a command prints YAML; a table could be read as such.
func looksLikeYAML(out run.Result) bool {
	args := strings.Join(out.Args, " ")
	return strings.Contains(args, "-o yaml") || strings.HasPrefix(args, "values")
}

// wantShown wants a terminal to show every character of a text, and to do nothing else.
func wantShown(t *testing.T, out run.Result, where, text string) {
	t.Helper()
	for at, r := range text {
		_, size := utf8.DecodeRuneInString(text[at:])
		if r == '\n' || r == '\t' || r != utf8.RuneError && !unicode.IsControl(r) && r != '\u2028' && r != '\u2029' && !unicode.Is(unicode.Bidi_Control, r) {
			continue
		}
		line := text[strings.LastIndexByte(text[:at], '\n')+1:]
		line, _, _ = strings.Cut(line, "\n")
		t.Errorf("%s: %s has %U (%d bytes) in %q", strings.Join(out.Args, " "), where, r, size, line)
		return
	}
}

// eachText visits all texts of a document, its keys among them.
func eachText(value any, place string, visit func(place, text string)) {
	switch v := value.(type) {
	case string:
		visit(place, v)
	case []any:
		for n, one := range v {
			eachText(one, fmt.Sprintf("%s[%d]", place, n), visit)
		}
	case map[string]any:
		for key, one := range v {
			visit(place+" key", key)
			eachText(one, place+"."+key, visit)
		}
	}
}
