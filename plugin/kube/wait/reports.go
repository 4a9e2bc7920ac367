package wait

import (
	"cmp"
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

// reports are what others reported about the objects that are waited for, in Events:
// a provisioner, an autoscaler, kubelet. As the inventory has, they have a watch of
// their own: a user who may not watch events waits without them.
type reports struct {
	watched *watched
	// pulls are the last errors of pulling an image, by pod uid and container. Kubelet
	// tells them in the pod's status only for a moment, and then pauses.
	pulls map[string]string
}

// listen gives notice by changed, too. Without anything that events are about it
// watches nothing.
func listen(ctx context.Context, client dynamic.Interface, targets Targets, changed chan struct{}) *reports {
	r := &reports{pulls: map[string]string{}}
	if targets.PVC != "" || len(targets.Deployments) > 0 {
		r.watched = watchNamed(ctx, client, changed, targets.Namespace, "", kinds.Event)
	}
	return r
}

func (r *reports) stop() {
	if r.watched != nil {
		r.watched.stop()
	}
}

// about are the events about an object, the newest first; false while they are not known.
func (r *reports) about(object *unstructured.Unstructured) ([]health.Event, bool) {
	if r.watched == nil || !r.watched.synced(kinds.Event) {
		return nil, false
	}
	var found []*unstructured.Unstructured
	for _, item := range r.watched.informers[kinds.Event].GetStore().List() {
		if event, ok := item.(*unstructured.Unstructured); ok && isAbout(event, object) {
			found = append(found, event)
		}
	}
	slices.SortFunc(found, func(a, b *unstructured.Unstructured) int {
		return cmp.Or(lastSeen(b).Compare(lastSeen(a)), cmp.Compare(a.GetName(), b.GetName()))
	})
	var events []health.Event
	for _, event := range found {
		events = append(events, health.Event{
			Reason: health.Text(event.Object, "reason"), Message: health.Text(event.Object, "message"),
			Warning: health.Text(event.Object, "type") == "Warning",
		})
	}
	return events, true
}

// isAbout compares the uid, too: an object that was created anew has its own events.
func isAbout(event, object *unstructured.Unstructured) bool {
	of := func(field string) string { return health.Text(event.Object, "involvedObject", field) }
	uid := of("uid")
	return of("kind") == object.GetKind() && of("name") == object.GetName() && (uid == "" || uid == string(object.GetUID()))
}

// lastSeen is when an event was reported last, in the fields of both APIs for events.
func lastSeen(event *unstructured.Unstructured) time.Time {
	for _, path := range [][]string{{"series", "lastObservedTime"}, {"lastTimestamp"}, {"eventTime"}} {
		if at, err := time.Parse(time.RFC3339, health.Text(event.Object, path...)); err == nil {
			return at
		}
	}
	return event.GetCreationTimestamp().Time
}

// remember notes why images could not be pulled.
func (r *reports) remember(pods []*unstructured.Unstructured) {
	for _, pod := range pods {
		for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
			for _, c := range health.Maps(pod.Object, "status", list) {
				if reason := health.PullReason(c); reason != "" {
					r.pulls[string(pod.GetUID())+"/"+health.Text(c, "name")] = reason
				}
			}
		}
	}
}

func (r *reports) pulled(pod *unstructured.Unstructured, container string) string {
	return r.pulls[string(pod.GetUID())+"/"+container]
}
