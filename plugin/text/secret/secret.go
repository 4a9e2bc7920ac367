// Package secret takes out of texts what must never be shown: credentials that
// libraries and servers repeat in their errors and logs. It knows secrets by
// their shape only, so it is the last net and not the first: what holds a secret
// is not to be printed at all.
package secret

import (
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// Hidden stands where a secret stood.
const Hidden = "(hidden)"

// Hide takes out of a text: the user and password of a URL (kept as "user:pw@"
// by every error that quotes a proxy or server), bearer tokens, JSON web tokens,
// OpenShift's tokens, private keys, and AWS access key ids, session tokens,
// secret keys and signatures where they are named. All else stays as it is.
func Hide(text string) string {
	if !suspicious(text) {
		return text
	}
	for _, rule := range rules() {
		text = rule.find.ReplaceAllString(text, rule.put)
	}
	return text
}

// suspicious is false for nearly every text, and costs next to nothing.
func suspicious(text string) bool {
	has := func(text string, signs ...string) bool {
		return slices.ContainsFunc(signs, func(sign string) bool { return strings.Contains(text, sign) })
	}
	return strings.Contains(text, "://") && strings.Contains(text, "@") ||
		has(text, "eyJ", "AKIA", "ASIA", "IQoJ", "FwoG", "FQoG", "sha256~", "PRIVATE KEY") ||
		has(strings.ToLower(text), "bearer", "authorization", "x-amz-", "signature", "token", "secret")
}

type rule struct {
	find *regexp.Regexp
	put  string
}

// begins is where a word begins; the letter that a colour code ends in, also one that
// lost its escape character, is not part of it.
const begins = `(^|\W|\W[0-9;?]+[A-Za-z]|\[[A-Za-z])`

// rules are compiled when needed: errors are rare, and start-up is not.
func rules() []rule {
	return []rule{
		// The digest of an image is no host behind a user and a password: its @ is put
		// aside, and put back by the last rule.
		{regexp.MustCompile(`@(sha256:[0-9a-f]{64}\b)`), "\x00${1}"},
		// In quotes there may be blanks: a URL that is quoted in an error is often
		// one that could not be parsed.
		{regexp.MustCompile(`("[A-Za-z][A-Za-z0-9+.-]*://)[^"]*@`), "${1}" + Hidden + "@"},
		{regexp.MustCompile(`(\b[A-Za-z][A-Za-z0-9+.-]*://)[^\s"'<>]*@`), "${1}" + Hidden + "@"},
		{regexp.MustCompile(`(?i)(authorization"?\s*[:=]\s*\[?"?)[a-z0-9-]+ [^\s"<][^"\n]*`), "${1}" + Hidden},
		{regexp.MustCompile(`(?i)(bearer )[a-z0-9._~+/=-]{8,}`), "${1}" + Hidden},
		{regexp.MustCompile(`(?i)(x-amz-security-token|x-amz-signature|x-amz-credential|signature|securitytoken|webidentitytoken|secretaccesskey|sessiontoken|aws_secret_access_key|aws_session_token)("?\s*[:=]\s*"?)[^\s"&,;]+`), "${1}${2}" + Hidden},
		{regexp.MustCompile(begins + `(AKIA|ASIA)[A-Z0-9]{12,}\b`), "${1}" + Hidden},
		{regexp.MustCompile(begins + `eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?`), "${1}" + Hidden},
		{regexp.MustCompile(begins + `sha256~[A-Za-z0-9_-]{20,}`), "${1}" + Hidden},
		// Session tokens are long base64 with a fixed beginning.
		{regexp.MustCompile(begins + `(IQoJ|FwoG|FQoG)[A-Za-z0-9+/=_%-]{20,}`), "${1}" + Hidden},
		{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`), Hidden},
		{regexp.MustCompile(`\x00(sha256:[0-9a-f]{64}\b)`), "@${1}"},
	}
}

// Writer hides what is written to w. Each Write is taken for a whole text, as
// loggers write them: a secret that is cut in two is not seen.
func Writer(w io.Writer) io.Writer { return plain.Through(w, Hide) }
