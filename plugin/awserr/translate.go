package awserr

import (
	"context"
	"errors"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const usage = problem.Usage

// explanation is what is known about a failure. Empty fields take the defaults
// of Translate: kind Failed, and a first part made of action and resource.
type explanation struct {
	kind             problem.Kind
	what, why, next  string
	action, resource string
}

// Translate turns an error of an AWS call into a *problem.Error in three parts.
// action is the IAM action the call needs, for example iam:CreateRole, and
// resource the ARN (or plain name) it was about. The original stays reachable
// with errors.As, but prints redacted. A nil error, a cancelled context, and
// errors that already have their three parts are given back as they are.
func Translate(err error, action, resource string) error {
	if err == nil || errors.Is(err, context.Canceled) || explained(err) {
		return err
	}
	e := explain(err, action, resource)
	if e.action == "" {
		e.action, e.resource = action, resource
	}
	if e.what == "" {
		e.what = "AWS did not do " + on(e.action, e.resource)
		if Code(err) != "" {
			e.what = "AWS refused " + on(e.action, e.resource)
		}
	}
	if e.kind == 0 {
		e.kind = problem.Failed
	}
	return &problem.Error{Kind: e.kind, What: e.what, Why: e.why, Next: e.next, Err: &cause{err}}
}

func explained(err error) bool {
	if _, ok := errors.AsType[*problem.Error](err); ok {
		return true
	}
	_, ok := errors.AsType[*render.InputError](err)
	return ok
}

// explain asks the most telling source first: an API error may sit inside a
// credential failure, and a network error inside neither.
func explain(err error, action, resource string) explanation {
	if e, ok := explainCredentials(err); ok {
		return e
	}
	if api := apiError(err); api != nil {
		return explainCode(api.ErrorCode(), Redact(api.ErrorMessage()), action, resource)
	}
	if e, ok := explainNetwork(err); ok {
		return e
	}
	return explanation{why: Redact(err.Error()), next: "run the same command again: it goes on where it stopped"}
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
	if message == "" {
		return otherwise
	}
	return message
}
