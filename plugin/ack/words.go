package ack

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
)

// withoutFields is a log in which each JSON object of zap's is its msg and error fields: the
// others, and the stack trace above all, would be repeated where a message quotes the
// rest of a line.
func withoutFields(log string) string {
	lines := strings.Split(log, "\n")
	for n, line := range lines {
		lines[n] = withoutFieldsIn(line)
	}
	return strings.Join(lines, "\n")
}

func withoutFieldsIn(line string) string {
	var fields map[string]any
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &fields) != nil {
		return line
	}
	said := LogError{Message: plain.Line(text(fields, "msg")), Error: plain.Line(text(fields, "error"))}
	if said.Text() == "" {
		return line
	}
	return said.Text()
}

// LastWords are the last errors of a log, in their order, or, where it has none, its
// last lines that say something.
func LastWords(log string, most int) string {
	var said []string
	for _, failure := range ErrorsOf(log) {
		said = append(said, failure.Text())
	}
	if slices.Reverse(said); len(said) == 0 {
		for _, line := range strings.Split(log, "\n") {
			if line = strings.TrimSpace(withoutFieldsIn(line)); line != "" {
				said = append(said, line)
			}
		}
	}
	return plain.Line(strings.Join(said[max(0, len(said)-most):], " | "))
}
