// Package awserr says in the reader's terms what AWS answered: which right on
// which resource is missing, whose credentials ran out, what to type next.
//
// It stands below every package that calls AWS and calls nothing itself. What
// it returns never shows a key, a token or a signature, however AWS or the SDK
// worded the failure.
package awserr

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/secret"
)

// explanation is what is known about a failure. Empty fields take the defaults
// of Translate: kind Failed, and a first part made of action and resource.
type explanation struct {
	kind             problem.Kind
	what, why, next  string
	action, resource string
	nextFor          func(rights []string) string // next, if it names the rights that are missing
}

// because is an explanation of what failed as it was asked for.
func because(why, next string) explanation { return explanation{why: why, next: next} }

// Translate turns an error of an AWS call into a *problem.Error in three parts.
// action is the IAM action the call needs, for example iam:CreateRole, and
// resource the ARN (or plain name) it was about. The original stays reachable
// with errors.As, but prints redacted. A nil error, a cancelled context, and
// errors that already have their three parts are given back as they are.
func Translate(err error, action, resource string) error {
	told, explained := errors.AsType[*problem.Error](err)
	if _, before := errors.AsType[*CredentialFailure](err); explained && before {
		return told // without the request that the credentials were for
	}
	if explained || err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	e := explain(err, action, resource)
	if e.action == "" {
		e.action, e.resource = action, resource
	}
	request := on(e.action, e.resource)
	like := problem.Alike{Objects: []problem.Object{{Name: request, Word: request}}, Cause: e.why, Next: e.nextFor}
	switch {
	case e.what != "": // about the credentials, for example: every request has the same problem
		like.Cause = e.what
	case Code(err) != "":
		e.what = "AWS refused " + request
		like.Noun, like.Are = "AWS request", "were refused"
	default:
		e.what = "AWS did not do " + request
		like.Noun, like.Are = "AWS request", "failed"
	}
	if e.kind == 0 {
		e.kind = problem.Failed
	}
	return (&problem.Error{Kind: e.kind, What: e.what, Why: e.why, Next: e.next, Err: &cause{err}}).With(like)
}

// explain asks the most telling source first: what could not be reached may be what gives
// the credentials, an API error may sit inside a credential failure, and another network
// error inside neither.
func explain(err error, action, resource string) explanation {
	if e, ok := explainUnreached(err, action); ok {
		return e
	}
	if e, ok := explainCredentials(err); ok {
		return e
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return explainCode(api.ErrorCode(), Redact(api.ErrorMessage()), action, resource)
	}
	if e, ok := explainNetwork(err); ok {
		return e
	}
	return because(Redact(err.Error()), "run the same command again: it goes on where it stopped")
}

// on joins an action and what it was for.
func on(action, resource string) string {
	if resource == "" {
		return action
	}
	return action + " on " + resource
}

// tidy makes AWS's sentence fit into one of ours.
func tidy(message, otherwise string) string {
	message = strings.TrimRight(strings.TrimSpace(message), ".")
	return cmp.Or(message, otherwise)
}

// Code is the error code AWS answered with, or "" where AWS did not answer.
func Code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// Message is the text AWS answered with, cleaned of secrets and of characters
// a terminal would obey; "" where AWS did not answer.
func Message(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return Redact(api.ErrorMessage())
	}
	return ""
}

// Status is the HTTP status of the answer, or 0.
func Status(err error) int {
	if r, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && r.Response != nil {
		return r.HTTPStatusCode()
	}
	return 0
}

// Header is a header of the answer, or "".
func Header(err error, name string) string {
	if r, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && r.Response != nil {
		return r.Response.Header.Get(name)
	}
	return ""
}

// Denied reports whether AWS knew the caller and refused the call.
func Denied(err error) bool {
	return hasCode(err, "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden")
}

// Missing reports whether AWS said that the thing asked about does not exist. A refusal
// does not say that: it names a role that exists, and one that does not, in the same
// words.
func Missing(err error) bool {
	return hasCode(err, "NoSuchEntity", "NoSuchEntityException", "NoSuchBucket", "NotFound")
}

// Hidden reports whether AWS refused to show a role in the words that it uses, too, for
// one that does not exist: IAM knows no path of that, so a policy for a path does not
// match it.
func Hidden(err error) bool {
	r := readRefusal(Message(err))
	return Denied(err) && strings.HasPrefix(r.resource, "role ") && strings.HasPrefix(r.because, "no identity-based policy")
}

// Exists reports whether a thing could not be made because it is there already.
func Exists(err error) bool {
	return hasCode(err, "EntityAlreadyExists", "EntityAlreadyExistsException")
}

// Answered reports whether AWS has answered that it did not carry out a request. An error
// of the service itself, or of the connection, leaves that open.
func Answered(err error) bool {
	return Code(err) != "" && Status(err) < http.StatusInternalServerError
}

// Conflict reports whether a thing could not be deleted because something is
// still on it.
func Conflict(err error) bool { return hasCode(err, "DeleteConflict", "DeleteConflictException") }

// LoggedOut reports whether AWS does not, or no longer, take the credentials:
// whatever is asked next will fail as well, until they are renewed.
func LoggedOut(err error) bool {
	if hasCode(err, "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired",
		"InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", "InvalidToken") {
		return true
	}
	_, before := explainCredentials(err)
	return err != nil && before
}

func hasCode(err error, codes ...string) bool {
	code := Code(err)
	return code != "" && slices.Contains(codes, code)
}

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
