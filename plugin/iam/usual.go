package iam

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Counts says which roles count as the project's besides those with its tags.
type Counts struct {
	Trusting bool // those whose trust policy names its service account (install --iam=skip)
	Any      bool // all: --adopt=role takes them over
}

// Usual finds the role of an app if neither the user nor a record names it. IAM is asked
// for the name that a new role gets. If that role does not exist, or is not this
// project's, IAM is asked for the name that an earlier version computed, and that role is
// chosen if it is this project's: by its tags, or because of what else counts. The result
// is the chosen name, with IAM's answer for it as Look returns it.
//
// A caller who is not allowed to read one of the two gets the other, if that is this
// project's, and otherwise the answer for the name of a new role, which may be a refusal.
func Usual(ctx context.Context, api Reader, f render.Facts, also Counts) (name string, actual *Actual, err error) {
	return theApp.usual(f, also, func(name string) (*Actual, error) { return lookFor(ctx, api, name) })
}

// UsualName is the name of Usual alone, which takes fewer requests.
func UsualName(ctx context.Context, api roleGetter, f render.Facts) (string, error) {
	name, _, err := theApp.usual(f, Counts{}, func(name string) (*Actual, error) { return roleAlone(ctx, api, name) })
	return name, err
}

// UsualController is Usual for the role of the ACK S3 controller; the namespace of the
// facts is the controller's.
func UsualController(ctx context.Context, api Reader, f render.Facts, also Counts) (name string, actual *Actual, err error) {
	return theController.usual(f, also, func(name string) (*Actual, error) { return lookFor(ctx, api, name) })
}

// UsualControllerName is the name of UsualController alone.
func UsualControllerName(ctx context.Context, api roleGetter, f render.Facts) (string, error) {
	name, _, err := theController.usual(f, Counts{}, func(name string) (*Actual, error) { return roleAlone(ctx, api, name) })
	return name, err
}

// usual is Usual for the holder. The caller says how a role is read.
func (h holder) usual(f render.Facts, also Counts, look func(name string) (*Actual, error)) (string, *Actual, error) {
	names := h.usualNames(f.Issuer.Value, f.Namespace.Value)
	isOwn := func(name string, a *Actual, err error) bool {
		return err == nil && a.Exists && (also.Any || h.owns(name, a, f) || also.Trusting && a.names(f))
	}
	actual, err := look(names[0])
	if isOwn(names[0], actual, err) || err != nil && !awserr.Denied(err) {
		return names[0], actual, err
	}
	earlier, unread := look(names[1])
	switch {
	case isOwn(names[1], earlier, unread):
		return names[1], earlier, nil
	case err == nil && unread != nil && !awserr.Denied(unread):
		// It may exist, and a second role is not created beside it.
		return names[0], nil, unread
	}
	return names[0], actual, err
}
