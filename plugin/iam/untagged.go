package iam

import (
	"errors"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// A permissions policy that an earlier version of ostoy-s3 printed denies the tags that
// the version did not know. A person who has it can still update a role that exists.

// notSetEarlier is the reason of a step that only sets such tags.
const notSetEarlier = "that earlier versions did not set"

// canDoWithout reports whether the rest of the plan is of use if AWS denies a step. The
// tag that names a managed policy is required for attaching the policy.
func (p *Plan) canDoWithout(s Step) bool {
	attaches := slices.ContainsFunc(p.Steps, func(one Step) bool { return one.Kind == AttachPolicy })
	return s.Kind == TagRole && s.Reason == notSetEarlier && !(attaches && s.Tags[render.TagPolicy] != "")
}

// Untagged is what Execute could not do and could do without: the tags, and why AWS
// denied them.
type Untagged struct {
	Tags map[string]string
	Err  error
}

// Warning is a sentence and what to do about it; both are "" if nothing was denied.
func (u Untagged) Warning() (what, next string) {
	told, ok := errors.AsType[*problem.Error](u.Err)
	if !ok {
		return "", ""
	}
	what = "the role has no tag " + strings.Join(keysOf(u.Tags), ", ") + ", which earlier versions did not set: " + told.What
	if told.Why != "" {
		what += ": " + told.Why
	}
	return what, told.Next
}
