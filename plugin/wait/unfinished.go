package wait

import (
	"context"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
)

// unfinished watches for a Bucket whose status stays at "still at work". It looks
// behind it each time that the status has stayed so for a while.
type unfinished struct {
	look func(context.Context, *unstructured.Unstructured) (State, bool)

	uid     string
	status  any // that stays
	next    time.Time
	verdict State
	found   bool
}

// lookLimit is how long one look may take: nothing else is looked at meanwhile.
const lookLimit = 15 * time.Second

// judge gives what was found behind the status, and whether anything was.
func (u *unfinished) judge(ctx context.Context, obj *unstructured.Unstructured, now time.Time) (State, bool) {
	if u.look == nil || !health.Unfinished(obj) {
		u.status = nil
		return State{}, false
	}
	status := obj.Object["status"]
	if u.uid != string(obj.GetUID()) || !reflect.DeepEqual(u.status, status) {
		u.uid, u.status, u.found, u.next = string(obj.GetUID()), status, false, now.Add(health.UnfinishedAfter)
	}
	if !u.found && !now.Before(u.next) {
		limited, cancel := context.WithTimeout(ctx, lookLimit)
		defer cancel()
		u.verdict, u.found = u.look(limited, obj)
		u.next = time.Now().Add(health.UnfinishedAfter)
	}
	return u.verdict, u.found
}

// lone reports whether none of these keeps the others from becoming ready.
func lone(failed []State) bool {
	return !slices.ContainsFunc(failed, func(s State) bool { return !s.Lone })
}
