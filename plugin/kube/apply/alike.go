package apply

import (
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apierr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// alike says that a problem may be one of many, of which are says what the objects have in
// common, and cause what else has to be the same.
func alike(a *Applier, p *problem.Error, ref Ref, are string, cause ...string) *problem.Error {
	if !a.opts.Set.Cluster(ref) {
		are = "in " + a.opts.Namespace + " " + are
	}
	return p.With(problem.Alike{
		Objects: []problem.Object{{Name: ref.String(), Word: ref.Resource()}}, Noun: "object", Are: are, Cause: strings.Join(cause, "\n"),
	})
}

// forAll gives a problem that may be one of many a next step that names the objects; nil
// leaves it as it is.
func forAll(p *problem.Error, next func(words []string) string) *problem.Error {
	if next == nil {
		return p
	}
	like := *p.Like
	like.Next = next
	return p.With(like)
}

// causeOf is what several refusals have to have in common to be one problem: the reason,
// and where that is a rule of the cluster or a value, which one.
func causeOf(p *problem.Error, s metav1.Status) []string {
	reason := apierr.ReasonOf(s)
	cause := []string{strconv.Itoa(int(reason))}
	switch reason {
	case apierr.Policy, apierr.WebhookDown:
		return append(cause, apierr.Rule(s))
	case apierr.Invalid, apierr.Other:
		return append(cause, p.Why)
	}
	return cause
}
