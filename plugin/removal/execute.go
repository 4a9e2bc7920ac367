package removal

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

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
			if l.Done = event.Action == apply.Delete; !l.Done {
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
	if _, err := iam.Remove(ctx, api, plan); err != nil {
		return l.Fail(ctx, err)
	}
	l.Done = true
	return nil
}
