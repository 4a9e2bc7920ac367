// Package problem is the error a use case ends with: three parts for the
// reader and a kind that becomes the exit code. It knows nothing of clusters,
// clouds or printing.
package problem

import (
	"context"
	"errors"
	"strings"
)

// Kind is why a command did not do what was asked. Its number is the exit code.
type Kind int

// The kinds, as README.md lists the exit codes.
const (
	Failed   Kind = 1 // an API refused, a server did not answer, no credentials
	Usage    Kind = 2 // bad flags, values, files or names; nothing was touched
	NotReady Kind = 3 // applied, but not ready
	Refused  Kind = 4 // a check or pre-check failed; foreign things stay as they are

	// For diff alone, where 1 is an answer, as with diff(1) and kubectl diff.
	Differs   Kind = 1 // there are differences: no failure
	Undecided Kind = 5 // failed as by Failed: whether there are any is not known

	Interrupted Kind = 130 // by the user, as a shell counts SIGINT
)

// Error is a failure in three parts: what happened to which object, why, and
// what to type next. More optionally names the page that explains it.
type Error struct {
	Kind Kind
	What string
	Why  string
	Next string
	More string
	Err  error
	Like *Alike // nil: a problem that is not one of many
}

// Input is the error for what the user gave and cannot be used: a name, a fact, a
// value, a file. Nothing has been touched.
func Input(what, why, next string) *Error {
	return &Error{Kind: Usage, What: what, Why: why, Next: next}
}

// Refuse is the error for what this tool does not do, although it could.
func Refuse(what, why, next string) *Error {
	return &Error{Kind: Refused, What: what, Why: why, Next: next}
}

// Fail is the error for what could not be done.
func Fail(what, why, next string) *Error {
	return &Error{Kind: Failed, What: what, Why: why, Next: next}
}

// See adds the page that explains it.
func (e *Error) See(page string) *Error {
	e.More = page
	return e
}

// Because adds the cause.
func (e *Error) Because(err error) *Error {
	e.Err = err
	return e
}

// errInput is what errors.Is finds in an error of the user's input.
var errInput = errors.New("input")

// IsInput reports whether an error says that what the user gave cannot be used, or
// wraps one that does.
func IsInput(err error) bool { return errors.Is(err, errInput) }

// Is makes each Error of kind Usage one of the user's input.
func (e *Error) Is(target error) bool { return target == errInput && e.Kind == Usage }

func (e *Error) Error() string {
	if e.Why == "" {
		return e.What
	}
	return e.What + ": " + e.Why
}

func (e *Error) Unwrap() error { return e.Err }

// Parts gives the three parts an error message is printed in.
func (e *Error) Parts() (what, why, next string) { return e.What, e.Why, e.Next }

// Several are problems found together, all of which the reader should see.
// Note is said after them, for example that nothing was changed.
type Several struct {
	Problems []*Error
	Note     string
}

func (s *Several) Error() string {
	texts := make([]string, len(s.Problems))
	for i, p := range s.Problems {
		texts[i] = p.Error()
	}
	return strings.Join(texts, "; ")
}

// Kind is the kind of all of them together: a wrong input or a refusal tells
// a script more than that something failed beside it.
func (s *Several) Kind() Kind {
	kind := Failed
	for _, p := range s.Problems {
		if p.Kind == Usage || p.Kind == Refused && kind != Usage {
			kind = p.Kind
		}
	}
	return kind
}

// InParts are the problems of an error, each in three parts as far as it has them.
func InParts(err error) []*Error {
	if several, is := errors.AsType[*Several](err); is {
		return several.Problems
	}
	if one, is := errors.AsType[*Error](err); is {
		return []*Error{one}
	}
	return []*Error{Fail(err.Error(), "", "").Because(err)}
}

// Awaited is what was waited for when the time was over. It does not say that
// anything is wrong: Err does, and is the end of a context.
type Awaited struct {
	What string // "Secret ostoy-secret to be applied"
	Err  error
}

func (a *Awaited) Error() string { return "waiting for " + a.What + ": " + a.Err.Error() }

func (a *Awaited) Unwrap() error { return a.Err }

// While adds to the end of a deadline what was waited for, unless that is on
// record already. Any other error passes unchanged.
func While(what string, err error) error {
	var known *Awaited
	if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &known) {
		return err
	}
	return &Awaited{What: what, Err: err}
}
