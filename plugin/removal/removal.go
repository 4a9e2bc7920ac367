// Package removal is what `uninstall` and `controller uninstall` have in common: the list
// of what exists with the fate of each thing, and how the list is printed. One list serves
// plan, dry run and result, so that they cannot say different things.
//
// Which things are listed, and in which order they are removed, is decided by its callers.
package removal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Fate is what happens to one thing.
type Fate string

// The fates.
const (
	Removed Fate = "removed"
	Kept    Fate = "kept" // on purpose
	Left    Fate = "left" // could not be removed: for the user to do
)

// Subject is the kind of thing that a line is about. What is removed is counted by its
// Kubernetes kind if it is an Object or a BucketResource, and is listed by name otherwise.
type Subject int

// The subjects.
const (
	Object         Subject = iota // of the cluster, without data
	BucketResource                // ACK's Bucket
	Bucket                        // of S3
	Volume                        // a PersistentVolumeClaim
	Role                          // of IAM
	OtherRole                     // of IAM, not managed by ostoy-s3
	Inventory
	Project
	Remark // what is kept, for the reader to know
)

// Line is one thing and its fate: before the run the one that is planned, afterwards the
// one that it got.
type Line struct {
	Object string `json:"object"` // as it is named: "role ostoy-s3-1a2b"
	Why    string `json:"why,omitempty"`
	Next   string `json:"next,omitempty"` // the command that does what was not done
	// Nexts is Next for several things, given their words; nil if Next names none.
	Nexts func(words []string) string `json:"-"`
	*bucket.Contents

	Subject Subject `json:"-"`
	Fate    Fate    `json:"-"`
	Done    bool    `json:"-"` // it has been removed
	// Steps are parts of it that have been removed. Unsure is what of it may have been
	// removed as well, because no answer came: of the thing itself its name.
	Steps  []string `json:"-"`
	Unsure []string `json:"-"`
	// Item is the object of the cluster: required for an Object, and by Delete.
	Item *apply.Item `json:"-"`
}

// Keep changes a line to one about something that stays.
func (l *Line) Keep(why, next string) { l.Fate, l.Why, l.Next = Kept, why, next }

// Leave changes a line to one about something that could not be removed.
func (l *Line) Leave(why, next string) { l.Fate, l.Why, l.Next = Left, why, next }

// Fail leaves a thing to the user, with the reason in the error, so that the run
// continues with the rest. If the context has ended or the credentials are no longer
// valid, nothing else can be removed either: Fail then returns the error.
func (l *Line) Fail(ctx context.Context, err error) error {
	var told *problem.Error
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case awserr.LoggedOut(err):
		return err
	case errors.As(err, &told):
		l.Leave(told.Error(), told.Next)
	default:
		l.Leave(err.Error(), "")
	}
	return nil
}

// Sent notes what became of the request to remove a thing, and returns its error: one
// without a final answer leaves open whether it was removed.
func (l *Line) Sent(err error) error {
	if err != nil && !apply.Refused(err) && !awserr.Answered(err) {
		l.Unsure = []string{l.Object}
	}
	return err
}

// Lines are all things, in the order in which they are printed.
type Lines []*Line

// Of are the lines about a subject.
func (ls Lines) Of(about Subject) Lines {
	return ls.where(func(l *Line) bool { return l.Subject == about })
}

// With are the lines with a fate; never nil, which JSON shows.
func (ls Lines) With(fate Fate) Lines {
	return ls.where(func(l *Line) bool { return l.Fate == fate })
}

func (ls Lines) where(is func(*Line) bool) Lines {
	return slices.DeleteFunc(append(Lines{}, ls...), func(l *Line) bool { return !is(l) })
}

// One is the line about a subject that has at most one; nil if it has none.
func (ls Lines) One(about Subject) *Line {
	if some := ls.Of(about); len(some) > 0 {
		return some[0]
	}
	return nil
}

// Removes reports whether anything is to be removed; of these subjects, if any are given.
func (ls Lines) Removes(of ...Subject) bool {
	return slices.ContainsFunc(ls, func(l *Line) bool {
		return l.Fate == Removed && (len(of) == 0 || slices.Contains(of, l.Subject))
	})
}

// Postpone keeps what is removed last, because something before it could not be removed.
func (ls Lines) Postpone(subjects ...Subject) {
	for _, l := range ls.With(Removed) {
		if slices.Contains(subjects, l.Subject) {
			l.Keep("it is deleted after the rest", "")
		}
	}
}

// Delete deletes the objects of the lines. One that something else has taken over since
// it was planned is kept.
func Delete(ctx context.Context, applier *apply.Applier, lines Lines) error {
	items := make([]*apply.Item, len(lines))
	for n, l := range lines {
		items[n] = l.Item
	}
	return applier.Remove(ctx, items, func(event apply.Event) {
		for _, l := range lines {
			if l.Item.Ref != event.Ref {
				continue
			}
			switch l.Done = event.Action == apply.Delete; {
			case event.Action == apply.Unknown:
				l.Unsure = []string{event.Ref.String()}
			case !l.Done:
				l.Keep(l.Item.Why, "")
			}
		}
	})
}

// Await watches the objects of a kind in a namespace until pending returns "". It is
// given all of them and says what is still waited for, which the error of a deadline
// repeats; first is that before anything was listed. observe is that of wait.Until.
func Await(ctx context.Context, conn *cluster.Conn, namespace string, kind kinds.Kind, first string,
	pending func([]*unstructured.Unstructured) (string, error), observe func(wait.State),
) error {
	awaited := first
	err := wait.Until(ctx, conn.Dynamic, namespace, kind, func(all []*unstructured.Unstructured) (bool, error) {
		text, err := pending(all)
		if text != "" {
			awaited = text
		}
		return text == "" && err == nil, err
	}, observe)
	return problem.While(awaited, err)
}

// DeleteRole removes the role that a line is about. One that cannot be removed is left to
// the user; the error is that of Line.Fail.
func DeleteRole(ctx context.Context, api iam.Remover, plan *iam.Removal, l *Line) error {
	result, err := iam.Remove(ctx, api, plan)
	if err == nil {
		l.Done = true
		return nil
	}
	for _, step := range result.Done {
		l.Steps = append(l.Steps, stepOf(step, l))
	}
	for _, step := range result.Unsure {
		l.Unsure = append(l.Unsure, stepOf(step, l))
	}
	return l.Fail(ctx, err)
}

// stepOf names what a step takes from a role: "the inline policy of role x", or the role.
func stepOf(step iam.Step, l *Line) string {
	if step.Kind == iam.DeleteRole {
		return l.Object
	}
	return "the " + step.What + " of " + l.Object
}
