package wait

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

// identity mends what the pod identity webhook misses. It fails open: a pod
// created while it is down, or before it has heard of the service account (1
// of 30 pods, measured), has no identity and never becomes ready, so pods
// are looked at as they appear and not after the rollout.
type identity struct {
	targets  Targets
	deleted  map[string]bool  // uids of pods we deleted
	replaced map[string]bool  // deployment and template hash of those
	gaveUp   map[string]State // by deployment: it will not get better
}

// mend deletes pods that were missed: those of one template once, because if
// their successors are missed, too, it is no accident. It gives what to tell.
func (i *identity) mend(ctx context.Context, client dynamic.Interface, w *watched) []State {
	var told []State
	for _, name := range i.targets.Identity {
		deployment := w.Get(kinds.Deployment, name)
		if deployment == nil {
			continue
		}
		round := map[string]bool{} // templates whose pods are deleted in this look
		for _, pod := range health.CurrentPods(deployment, w.List(kinds.Pod)) {
			miss := health.MissingIdentity(pod, i.targets.RoleARN)
			key := name + "/" + health.TemplateHash(pod)
			if miss == "" || i.deleted[string(pod.GetUID())] {
				continue
			}
			if i.replaced[key] && !round[key] {
				i.gaveUp[name] = health.Failing(State{
					Text: "its pods get no AWS identity: " + miss + ", and that of its successor " + pod.GetName() + " as well",
					Hint: "the pod identity webhook does not work here (" + advice.Command("oc get mutatingwebhookconfigurations") + "); to do without it:\n" + i.projected(),
				})
				break
			}
			s, done := i.remove(ctx, client, name, pod, miss)
			told = append(told, s...)
			if done {
				i.replaced[key], round[key] = true, true
			}
		}
	}
	return told
}

// projected is the install of pods that carry their identity themselves.
func (i *identity) projected() string { return i.targets.install("--set", "podIdentity=projected") }

// remove deletes one pod, the very one that was looked at.
func (i *identity) remove(ctx context.Context, client dynamic.Interface, deployment string, pod *unstructured.Unstructured, miss string) ([]State, bool) {
	uid := pod.GetUID()
	err := client.Resource(kinds.Pod.GVR()).Namespace(pod.GetNamespace()).
		Delete(ctx, pod.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	switch {
	case err == nil:
		i.deleted[string(uid)] = true
		return []State{{
			Kind: "Deployment", Name: deployment, Level: health.Warn,
			Text: fmt.Sprintf("pod %s came without its AWS identity (%s): deleted, so that a new one is made", pod.GetName(), miss),
		}}, true
	case apierrors.IsNotFound(err), apierrors.IsConflict(err): // somebody was quicker
		i.deleted[string(uid)] = true
	case apierrors.IsForbidden(err):
		i.gaveUp[deployment] = health.Failing(State{
			Text: fmt.Sprintf("pod %s came without its AWS identity (%s) and you may not delete it", pod.GetName(), miss),
			Hint: "as somebody who is allowed to: " + advice.Command("oc delete pod", pod.GetName(), "-n", pod.GetNamespace()) + "\nor, to do without the webhook: " + i.projected(),
		})
	}
	return nil, false // any other error passes; the next look tries again
}
