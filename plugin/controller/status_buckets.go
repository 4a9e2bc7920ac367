package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// countBuckets counts the Buckets by their state.
func (l *statusLook) countBuckets() Buckets {
	if l.bucketsErr != nil {
		return Buckets{Part: unseen(l.bucketsErr)}
	}
	unreadable := len(l.buckets.Unreadable)
	b := Buckets{Searched: len(l.buckets.Searched) - unreadable, Unreadable: unreadable}
	for _, object := range l.buckets.Objects[live.Buckets()] {
		b.Total++
		b.count(object, l)
	}
	slices.SortFunc(b.Of, func(x, y BucketStatus) int {
		bad := map[status.Mark]int{status.Wrong: -1}
		return cmp.Or(cmp.Compare(bad[x.Mark], bad[y.Mark]), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name))
	})
	b.OfOtherProjects = operator.OfOtherProjects(l.buckets.Objects[live.Buckets()])
	b.Part = part(b.mark(), b.states(), "")
	return b
}

// count files one Bucket.
func (b *Buckets) count(object *unstructured.Unstructured, l *statusLook) {
	state := health.Bucket(object, nil, false)
	one := BucketStatus{
		Namespace: object.GetNamespace(), Name: object.GetName(), Finalizer: ack.Managed(object),
		Part: cleaned(status.Settled(state, object, l.now)),
	}
	switch {
	case object.GetDeletionTimestamp() != nil:
		b.Deleting++
		if ack.Complaint(object) == "" && len(l.judged) > 0 {
			one.Mark, one.Hint = status.Busy, "" // on its way out, nothing speaks against it
		}
	case !one.Finalizer && len(health.Conditions(object)) == 0:
		b.NotSeen++
	case one.Mark == status.OK:
		b.Synced++
		return
	case one.Mark == status.Busy:
		b.OnTheWay++
		return
	default:
		b.Failing++
	}
	b.Of = append(b.Of, one)
}

// mark is the worst of those that are not as they should be.
func (b *Buckets) mark() status.Mark {
	marks := []status.Mark{}
	for _, one := range b.Of {
		marks = append(marks, one.Mark)
	}
	if len(b.OfOtherProjects) > 0 {
		marks = append(marks, status.Warning)
	}
	if b.OnTheWay > 0 {
		marks = append(marks, status.Busy)
	}
	return status.Worst(marks...)
}

// states are the numbers that are not 0.
func (b *Buckets) states() string {
	var words []string
	for _, one := range []struct {
		n    int
		what string
	}{
		{b.Synced, "synced"},
		{b.OnTheWay, "on their way"},
		{b.Failing, "failing"},
		{b.Deleting, "being deleted"},
		{b.NotSeen, "not seen by a controller yet"},
	} {
		if one.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", one.n, one.what))
		}
	}
	if len(words) == 0 {
		words = append(words, "none")
	}
	if b.Searched > 0 {
		words = append(words, fmt.Sprintf("in the %d projects that you may see", b.Searched))
	}
	if b.Unreadable > 0 {
		words = append(words, fmt.Sprintf("%d more could not be read", b.Unreadable))
	}
	return strings.Join(words, ", ")
}
