package uninstall

import (
	"context"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// removeWorkload deletes the Deployments, waits until their pods have ended, and then
// deletes what the pods needed.
func (p place) removeWorkload(ctx context.Context, objects removal.Lines) error {
	var first, second removal.Lines
	for _, l := range objects.With(removal.Removed) {
		if isDeployment(l) {
			first = append(first, l)
		} else {
			second = append(second, l)
		}
	}
	if err := removal.Delete(ctx, p.applier, first); err != nil {
		return err
	}
	if err := p.podsGone(ctx, selectors(objects, first), p.cameBack(deployments(objects))); err != nil {
		return err
	}
	if err := removal.Delete(ctx, p.applier, second); err != nil {
		return err
	}
	if n := len(first) + len(second); n > 0 {
		p.board.Set("workload", ui.Done, phrase.Count(int64(n), "object")+" removed")
	}
	return nil
}

func isDeployment(l *removal.Line) bool { return l.Item.Ref.Kind == "Deployment" }

// selectors say which pods belong to the workload: those of the Deployments that existed,
// and those that the chart's have in any case, because an interrupted run may have deleted
// the Deployments already. The pods of a Deployment that is kept stay, and are not waited
// for.
func selectors(objects, deleted removal.Lines) []map[string]string {
	var all []map[string]string
	kept := objects.With(removal.Kept)
	for _, name := range []string{render.Frontend, render.Microservice} {
		if !slices.ContainsFunc(kept, func(l *removal.Line) bool { return isDeployment(l) && l.Item.Ref.Name == name }) {
			all = append(all, map[string]string{"app": name})
		}
	}
	for _, l := range deleted.With(removal.Removed) {
		labels, _, _ := unstructured.NestedStringMap(l.Item.Live.Object, "spec", "selector", "matchLabels")
		if len(labels) > 0 {
			all = append(all, labels)
		}
	}
	return all
}

// podsGone waits until no pod of the workload is left: until then one may still write to
// the bucket. While a pod is left that nobody has deleted, cameBack is asked for the
// reason.
func (p place) podsGone(ctx context.Context, of []map[string]string, cameBack func(context.Context) error) error {
	return removal.Await(ctx, p.conn, p.namespace, kinds.Pod, "the pods of the workload to be listed",
		func(pods []*unstructured.Unstructured) (string, error) {
			var left []string
			deleted := true
			for _, pod := range pods {
				if ofReplicaSet(pod) && slices.ContainsFunc(of, func(labels map[string]string) bool { return within(labels, pod.GetLabels()) }) {
					left = append(left, pod.GetName())
					deleted = deleted && pod.GetDeletionTimestamp() != nil
				}
			}
			if !deleted {
				if err := cameBack(ctx); err != nil {
					return "", err
				}
			}
			if len(left) == 0 {
				return "", nil
			}
			awaited := phrase.Count(len(left), "pod") + " to end: " + strings.Join(left, ", ")
			p.board.Set("workload", ui.Busy, "waiting for "+awaited)
			return awaited, nil
		}, p.observe)
}

// ofReplicaSet tells a Deployment's pods from others with the same labels.
func ofReplicaSet(pod *unstructured.Unstructured) bool {
	return slices.ContainsFunc(pod.GetOwnerReferences(), func(owner metav1.OwnerReference) bool { return owner.Kind == "ReplicaSet" })
}

func within(labels, of map[string]string) bool {
	for key, value := range labels {
		if of[key] != value {
			return false
		}
	}
	return true
}

// isAnother reports whether an object of an item's name is not the one that was planned:
// it was created after that one had been deleted.
func isAnother(planned *apply.Item, live *unstructured.Unstructured) bool {
	same := planned.Live != nil && live.GetUID() == planned.Live.GetUID()
	return !same && live.GetDeletionTimestamp() == nil
}

// cameBack gives a function that reads the Deployments again, at most once a second, and
// returns an error if one of them has been created again. The first time it only notes
// the time: what a Deployment leaves behind is deleted a moment after it.
func (p place) cameBack(deleted []*apply.Item) func(context.Context) error {
	last := p.now()
	return func(ctx context.Context) error {
		if p.now().Sub(last) < time.Second {
			return nil
		}
		last = p.now()
		for _, item := range deleted {
			live, err := p.applier.Get(ctx, item.Ref)
			if err != nil {
				return nil // it passes, or what is waited for says it better
			}
			if live != nil && isAnother(item, live) {
				return p.applier.CameBack(item.Ref, live)
			}
		}
		return nil
	}
}

// deployments are the Deployments that were deleted, and the chart's that did not exist.
func deployments(objects removal.Lines) []*apply.Item {
	var items []*apply.Item
	missing := []string{render.Frontend, render.Microservice}
	for _, l := range objects {
		if !isDeployment(l) {
			continue
		}
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == l.Item.Ref.Name })
		if l.Fate == removal.Removed {
			items = append(items, l.Item)
		}
	}
	for _, name := range missing {
		items = append(items, &apply.Item{Ref: apply.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: name}})
	}
	return items
}
