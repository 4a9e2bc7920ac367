package awserr

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/secret"
)

// maxText keeps an answer of AWS to what fits a terminal.
const maxText = 600

// Redact takes out of a text what must not be printed: what package secret knows
// (access key ids, session tokens, signatures, web identity tokens, passwords in
// URLs), and what a credential_process wrote (the SDK quotes its output when it
// cannot parse it). SignatureDoesNotMatch is
// why signatures and tokens are looked for at all: AWS answers it with the
// request's canonical form, session token included. The text becomes one line, which
// the rules rely on, and a long one is cut.
func Redact(text string) string {
	text = strings.NewReplacer("\n", " ", "\t", " ").Replace(plain.Text(text))
	text = hide(text)
	if len(text) > maxText {
		cut := maxText
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "..."
	}
	return strings.TrimSpace(text)
}

// RedactLines is for what to type, which may be several commands: a line with something
// that must not be printed is left out as a whole. To replace or cut a part of a command
// could take a quotation mark away, and make a command of a value.
func RedactLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if hide(line) != line {
			lines[i] = secret.Hidden
		}
	}
	return strings.Join(lines, "\n")
}

// hide takes out of a line what must not be printed.
func hide(text string) string {
	for _, rule := range redactions() {
		text = rule.find.ReplaceAllString(text, rule.put)
	}
	return secret.Hide(text)
}

type redaction struct {
	find *regexp.Regexp
	put  string
}

// redactions are what AWS and its SDK quote whole; compiled when needed, like
// the rules of package secret.
func redactions() []redaction {
	return []redaction{
		{regexp.MustCompile(`(?i)(the canonical string for this request should have been|the string-to-sign should have been).*`), "$1 " + secret.Hidden},
		{regexp.MustCompile(`(?i)(parse failed of process output:).*`), "$1 " + secret.Hidden},
	}
}

// Cause gives an error that keeps err for errors.Is and errors.As and prints it
// through Redact only. It is for the Err field of a *problem.Error.
func Cause(err error) error { return &cause{err} }

// cause keeps the original error for errors.Is and errors.As while every way of
// printing it goes through Redact.
type cause struct{ err error }

func (c *cause) Error() string { return Redact(c.err.Error()) }

func (c *cause) Unwrap() error { return c.err }
