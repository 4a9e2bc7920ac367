package controller

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// deployments is how the Deployments of the controller are, their pods' identity
// included. They are to be those of csv; "" for Helm's. OLM says of a version
// without Deployments that it is installed, too.
func deployments(ctx context.Context, f *follower, seen wait.Seen, names []string, csv string) []health.State {
	if len(names) == 0 {
		return []health.State{{Kind: "Deployment", Name: "controller", Ready: true, Text: "its version names no Deployment: there is nothing to look at"}}
	}
	return each(names, func(name string) health.State {
		state := deployment(ctx, f, seen, name, csv)
		state.Kind, state.Name = "Deployment", name
		return state
	})
}

func deployment(ctx context.Context, f *follower, seen wait.Seen, name, csv string) health.State {
	object := seen.Get(kinds.Deployment, name)
	if object == nil {
		return health.Graced(health.State{Text: "it is not there", Hint: advice.Command("oc get events", "-n", f.found.Namespace)}, configGrace)
	}
	if owner := olm.OwnerCSV(object); csv != "" && owner != "" && owner != csv { // what it has available is the version before
		return health.State{Text: "waiting for OLM to update it from " + VersionOf(owner) + " to " + VersionOf(csv)}
	}
	current := health.CurrentPods(object, seen.List(kinds.Pod))
	for _, pod := range current {
		if miss := health.MissingIdentity(pod, f.Role.Role.ARN); miss != "" {
			return withoutIdentity(ctx, f, pod, current, miss)
		}
	}
	state := health.Deployment(object, current, health.Around{})
	if state.Ready {
		state.Text += ", as " + f.Role.Role.Label()
		return state
	}
	if crash, crashes := crash(ctx, f, current); crashes {
		return crash
	}
	return state
}

// withoutIdentity deals with a pod that does not carry the role. Where the pod's
// own spec should, its maker is behind and will replace it; where the webhook
// should have, it never comes back to a pod, so the pod is made anew, once.
func withoutIdentity(ctx context.Context, f *follower, pod *unstructured.Unstructured, current []*unstructured.Unstructured, miss string) health.State {
	state := health.State{Text: fmt.Sprintf("pod %s does not work as its role: %s", pod.GetName(), miss)}
	if f.Identity != operator.Annotation {
		state.Hint = advice.Command("oc describe pod", pod.GetName(), "-n", pod.GetNamespace())
		state.Code = "identity"
		return health.Graced(state, configGrace)
	}
	pods := missedOf(f, pod, current)
	deleted, known := pods[pod.GetUID()]
	if !known {
		state.Text += ", and neither did the one before it"
		state.Hint = "the pod identity webhook does not work here (oc get mutatingwebhookconfigurations); --identity subscription needs none"
		return health.Failing(state)
	}
	if !deleted { // one that was deleted can be seen once more before it is gone
		if err := restart(ctx, f, pod); err != nil {
			state.Hint = advice.Command("oc delete pod", pod.GetName(), "-n", pod.GetNamespace())
			return health.Graced(state, configGrace)
		}
		pods[pod.GetUID()] = true
		f.done.Restarted = append(f.done.Restarted, pod.GetName())
	}
	state.Level = health.Warn
	state.Text += "; it is made anew"
	return state
}

// missedOf are the pods of a template that existed when the first of them was found to
// be without its role, and whether each was deleted since. Pods that are not among them
// are the successors.
func missedOf(f *follower, pod *unstructured.Unstructured, current []*unstructured.Unstructured) map[types.UID]bool {
	template := health.TemplateHash(pod)
	if f.missed == nil {
		f.missed = map[string]map[types.UID]bool{}
	}
	if f.missed[template] == nil {
		f.missed[template] = map[types.UID]bool{}
		for _, one := range current {
			f.missed[template][one.GetUID()] = false
		}
	}
	return f.missed[template]
}

// restart deletes the very pod that was looked at. Unlike a change of the
// Deployment, that is nothing OLM would undo.
func restart(ctx context.Context, f *follower, pod *unstructured.Unstructured) error {
	uid := pod.GetUID()
	err := f.found.World.Conn.Dynamic.Resource(kinds.Pod.GVR()).Namespace(pod.GetNamespace()).
		Delete(ctx, pod.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // gone, or another one by now
		return nil
	}
	return err
}

// crash says why the controller ends over and over, as its log tells it. A role
// made a moment ago is unknown to AWS for a while, which passes.
func crash(ctx context.Context, f *follower, pods []*unstructured.Unstructured) (health.State, bool) {
	typed, err := ack.PodsOf(pods)
	if err != nil {
		return health.State{}, false
	}
	for _, pod := range typed {
		for _, container := range pod.Status.ContainerStatuses {
			if !pod.Crashes(container.Name) {
				continue
			}
			log := log(ctx, f, pod, container.Name, container.RestartCount)
			state := health.State{
				Text: "pod " + pod.Name + " crashes", Code: "crash",
				Hint: advice.Command("oc logs", pod.Name, "-c", container.Name, "-n", pod.Namespace, "--previous"),
			}
			if cause, known := ack.CauseOf(log); known {
				state.Text += ": " + awserr.Redact(cause.Why)
				state.Hint = cause.Next
			} else if words := awserr.Redact(ack.LastWords(log, 1)); words != "" {
				state.Text += ": " + words
			}
			if last := ack.LastWords(log, 1); awserr.StaysIn(last) {
				decided := awserr.DecidedIn(last, "the controller")
				state.Text, state.Hint = "pod "+pod.Name+" crashes: "+decided.Why, decided.Next
				return health.Failing(state), true
			}
			if f.fresh {
				return health.Graced(state, newRoleGrace), true
			}
			return health.Graced(state, configGrace), true
		}
	}
	return health.State{}, false
}

// log is asked for once for each time the container ended.
func log(ctx context.Context, f *follower, pod ack.Pod, container string, restart int32) string {
	key := fmt.Sprintf("%s/%d", pod.UID, restart)
	if text, asked := f.logs[key]; asked {
		return text
	}
	text, err := live.LogOfLastRun(ctx, f.found.World.Conn, pod.Namespace, pod.Name, container)
	if err != nil {
		return ""
	}
	f.logs[key] = text
	return text
}

// annotate restores what OLM before 0.33 drops from the ServiceAccount when it
// installs a version. It does not wait for the version to succeed, which, where
// the pod has its role by the annotation, it only does with it. Pods created
// meanwhile are handled by withoutIdentity.
//
// It writes only when OLM has finished writing: no InstallPlan is being carried
// out, and nobody has written to the ServiceAccount since it was looked at. waits
// reports that the annotation is not restored yet.
func annotate(ctx context.Context, f *follower, seen wait.Seen) (waits bool, err error) {
	account := seen.Get(kinds.ServiceAccount, operator.ServiceAccount)
	const enough = 3 // a program that drops it more often does so on purpose
	switch {
	case account == nil, f.restored == enough, !olm.OwnedByCSV(account, operator.Package),
		account.GetAnnotations()[live.RoleAnnotation] == f.Role.Role.ARN:
		return false, nil
	case f.dropped == account.GetResourceVersion(), slices.ContainsFunc(seen.List(kinds.InstallPlan), beingInstalled):
		return true, nil
	}
	at := slices.IndexFunc(f.set, func(object *unstructured.Unstructured) bool {
		return object.GetKind() == "ServiceAccount" && object.GetName() == operator.ServiceAccount
	})
	if at < 0 {
		return false, nil
	}
	object := f.set[at].DeepCopy()
	object.SetResourceVersion(account.GetResourceVersion())
	client := f.found.World.Conn.Dynamic.Resource(kinds.ServiceAccount.GVR()).Namespace(f.found.Namespace)
	_, err = client.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: apply.Manager, Force: true})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) { // written to or deleted meanwhile: the watch shows it
		return true, nil
	}
	if err != nil {
		return false, f.found.World.Conn.Translate(err)
	}
	f.restored++
	f.dropped = account.GetResourceVersion()
	f.observe(health.State{
		Kind: "ServiceAccount", Name: "service account", Ready: true,
		Text: "OLM had dropped the annotation that names the role: restored",
	})
	return true, nil
}

// beingInstalled reports whether an InstallPlan installs a version of the operator
// now.
func beingInstalled(object *unstructured.Unstructured) bool {
	plan := olm.PlanOf(object)
	return plan.Installing() && slices.ContainsFunc(plan.CSVs, namesOperator)
}
