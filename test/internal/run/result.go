package run

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
)

// String is the run as a reader of a failed test wants it.
func (r Result) String() string {
	return fmt.Sprintf("$ %s %s\nexit code %d\n--- stdout\n%s--- stderr\n%s", Name, strings.Join(r.Args, " "), r.Code, r.Stdout, r.Stderr)
}

// WantCode ends the test unless the run ended with the code.
func (r Result) WantCode(t testing.TB, code int) Result {
	t.Helper()
	if r.Code != code {
		t.Fatalf("exit code %d, want %d\n%s", r.Code, code, r)
	}
	return r
}

// WantTalk wants every text on stderr.
func (r Result) WantTalk(t testing.TB, texts ...string) Result {
	t.Helper()
	return r.want(t, "stderr", r.Stderr, texts)
}

// WantNoTalk wants none of the texts on stderr.
func (r Result) WantNoTalk(t testing.TB, texts ...string) Result {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(r.Stderr, text) {
			t.Errorf("stderr says %q\n%s", text, r)
		}
	}
	return r
}

// WantStdout wants stdout to be exactly that.
func (r Result) WantStdout(t testing.TB, text string) Result {
	t.Helper()
	if r.Stdout != text {
		t.Errorf("stdout is %q, want %q\n%s", r.Stdout, text, r)
	}
	return r
}

func (r Result) want(t testing.TB, where, have string, texts []string) Result {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(have, text) {
			t.Errorf("%s lacks %q\n%s", where, text, r)
		}
	}
	return r
}

// JSON decodes stdout, which must hold exactly one document and nothing else.
func (r Result) JSON(t testing.TB, into any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(r.Stdout))
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("stdout is no JSON: %v\n%s", err, r)
	}
	if _, err := decoder.Token(); err != io.EOF {
		t.Fatalf("stdout holds more than one document\n%s", r)
	}
}
