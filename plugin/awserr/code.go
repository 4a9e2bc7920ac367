package awserr

import (
	"errors"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Code is the error code AWS answered with, or "" where AWS did not answer.
func Code(err error) string {
	if api := apiError(err); api != nil {
		return api.ErrorCode()
	}
	return ""
}

// Message is the text AWS answered with, cleaned of secrets and of characters
// a terminal would obey; "" where AWS did not answer.
func Message(err error) string {
	if api := apiError(err); api != nil {
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

// Conflict reports whether a thing could not be deleted because something is
// still on it.
func Conflict(err error) bool {
	return hasCode(err, "DeleteConflict", "DeleteConflictException")
}

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

func apiError(err error) smithy.APIError {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api
	}
	return nil
}
