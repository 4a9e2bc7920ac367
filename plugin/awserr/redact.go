package awserr

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText keeps an answer of AWS to what fits a terminal.
const maxText = 600

const hidden = "(hidden)"

// Redact takes out of a text what must not be printed: access key ids, session
// tokens, signatures, web identity tokens, and what a credential_process wrote
// (the SDK quotes its output when it cannot parse it). SignatureDoesNotMatch is
// why signatures and tokens are looked for at all: AWS answers it with the
// request's canonical form, session token included. Control characters become
// blanks and long texts are cut.
func Redact(text string) string {
	// The letter that a colour ends in must not hide where a key begins.
	text = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`).ReplaceAllString(text, "$0 ")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	for _, rule := range redactions() {
		text = rule.find.ReplaceAllString(text, rule.put)
	}
	if len(text) > maxText {
		cut := maxText
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "..."
	}
	return strings.TrimSpace(text)
}

type redaction struct {
	find *regexp.Regexp
	put  string
}

// redactions are compiled when needed: errors are rare and start-up is not.
func redactions() []redaction {
	return []redaction{
		{regexp.MustCompile(`(?i)(the canonical string for this request should have been|the string-to-sign should have been).*`), "$1 " + hidden},
		{regexp.MustCompile(`(?i)(parse failed of process output:).*`), "$1 " + hidden},
		{regexp.MustCompile(`(?i)(x-amz-security-token|x-amz-signature|x-amz-credential|signature|securitytoken|webidentitytoken|secretaccesskey|sessiontoken|aws_secret_access_key|aws_session_token)("?\s*[:=]\s*"?)[^\s"&,;]+`), "$1$2" + hidden},
		{regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{12,}\b`), hidden},
		{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?`), hidden},
		// Session tokens are long base64 with a fixed beginning.
		{regexp.MustCompile(`\b(IQoJ|FwoG|FQoG)[A-Za-z0-9+/=_%-]{20,}`), hidden},
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
