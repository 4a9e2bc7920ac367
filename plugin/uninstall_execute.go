package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/wait"
)

// execute carries out the plan in the safe order: nobody writes to the bucket
// any more when it is counted out, nobody needs the role when it goes, and the
// inventory lasts as long as anything it lists. What cannot be removed does not
// keep the rest; but the inventory then stays, for the next run.
func (u *uninstall) execute(ctx context.Context) error {
	if err := u.beginRemoval(ctx); err != nil {
		return u.stopped(ctx, err)
	}
	if err := u.executeWorkload(ctx); err != nil {
		return u.stopped(ctx, err)
	}
	if err := u.executeBucket(ctx); err != nil {
		return u.stopped(ctx, err)
	}
	if err := u.executeVolumes(ctx); err != nil {
		return u.stopped(ctx, err)
	}
	if err := u.executeRole(ctx); err != nil {
		return u.stopped(ctx, err)
	}
	if len(u.withFate(fateLeft)) > 0 {
		u.postpone(theInventory, theProject)
		return nil
	}
	if l := u.one(theInventory); l != nil {
		if err := u.applier.RemoveInventory(ctx, u.removal); err != nil {
			return u.stopped(ctx, err)
		}
		l.done = true
	}
	return u.executeProject(ctx)
}

// stopped tells what was done before an error that ends the run, unless the
// run was cut off: then the error's own text will.
func (u *uninstall) stopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		u.UI.Line(u.doneSoFar())
	}
	return err
}

// postpone keeps what goes last, because something before it could not go.
func (u *uninstall) postpone(subjects ...subject) {
	for _, about := range subjects {
		if l := u.one(about); l != nil && l.fate == fateRemoved {
			l.keep("it is deleted after the rest", "")
		}
	}
}

// executeWorkload deletes the Deployments, waits until their pods are gone, and
// then deletes what the pods needed.
func (u *uninstall) executeWorkload(ctx context.Context) error {
	var first, second []*line
	for _, l := range u.of(anObject) {
		switch {
		case l.fate != fateRemoved:
		case l.item.Ref.Kind == "Deployment":
			first = append(first, l)
		default:
			second = append(second, l)
		}
	}
	if u.applier == nil || !u.inCluster() {
		return nil
	}
	if err := u.remove(ctx, first); err != nil {
		return err
	}
	if err := u.podsGone(ctx, u.selectors(first), u.cameBack()); err != nil {
		return err
	}
	if err := u.remove(ctx, second); err != nil {
		return err
	}
	if len(first)+len(second) > 0 {
		u.board.Set("workload", ui.Done, plural(int64(len(first)+len(second)), "object")+" removed")
	}
	return nil
}

// inCluster reports whether this run has business in the cluster at all.
func (u *uninstall) inCluster() bool {
	return u.removal.InventoryOurs || len(u.removal.Objects) > 0 || u.removal.Bucket != nil || len(u.removal.Volumes) > 0
}

// remove deletes objects; one that somebody took over meanwhile is kept.
func (u *uninstall) remove(ctx context.Context, lines []*line) error {
	items := make([]*apply.Item, len(lines))
	for n, l := range lines {
		items[n] = l.item
	}
	return u.applier.Remove(ctx, items, func(event apply.Event) {
		for _, l := range lines {
			if l.item.Ref != event.Ref {
				continue
			}
			if l.done = event.Action == apply.Delete; !l.done {
				l.keep(l.item.Why, "")
			}
		}
	})
}

// selectors say which pods belong to the workload: those of the Deployments that
// are there, and those that the chart's have in any case, because a run that was
// cut off may have deleted the Deployments already. The pods of a Deployment that is
// kept stay, and are not waited for.
func (u *uninstall) selectors(lines []*line) []map[string]string {
	var all []map[string]string
	isKept := func(l *line) bool { return l.fate == fateKept }
	for _, name := range []string{frontend, "ostoy-microservice"} {
		kept := slices.ContainsFunc(u.of(anObject), func(l *line) bool {
			return isKept(l) && l.item.Ref.Kind == "Deployment" && l.item.Ref.Name == name
		})
		if !kept {
			all = append(all, map[string]string{"app": name})
		}
	}
	for _, l := range lines {
		if isKept(l) {
			continue
		}
		labels, _, _ := unstructured.NestedStringMap(l.item.Live.Object, "spec", "selector", "matchLabels")
		if len(labels) > 0 {
			all = append(all, labels)
		}
	}
	return all
}

// podsGone waits until no pod of the workload is left: until then one may still
// write to the bucket. While a pod is left that nobody has deleted, cameBack is asked
// for the reason.
func (u *uninstall) podsGone(ctx context.Context, of []map[string]string, cameBack func(context.Context) error) error {
	awaited := "the pods of the workload to be listed"
	err := wait.Until(ctx, u.conn.Dynamic, u.namespace(), "Pod", func(pods []*unstructured.Unstructured) (bool, error) {
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
				return false, err
			}
		}
		if len(left) > 0 {
			awaited = plural(int64(len(left)), "pod") + " to end: " + strings.Join(left, ", ")
			u.board.Set("workload", ui.Busy, "waiting for "+awaited)
		}
		return len(left) == 0, nil
	}, u.serverState)
	return problem.While(awaited, err)
}

// serverState tells of an API server that is away, and back.
func (u *uninstall) serverState(state wait.State) { u.board.Set(state.Name, markOf(state), state.Text) }

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

// executeVolumes removes the volumes that were given up, and waits until they
// are gone.
func (u *uninstall) executeVolumes(ctx context.Context) error {
	var lines []*line
	uids := map[types.UID]bool{}
	for _, l := range u.of(aVolume) {
		if l.fate == fateRemoved {
			lines = append(lines, l)
			uids[l.item.Live.GetUID()] = true
		}
	}
	if len(lines) == 0 {
		return nil
	}
	if err := u.remove(ctx, lines); err != nil {
		return err
	}
	awaited := "the volumes to be listed"
	err := wait.Until(ctx, u.conn.Dynamic, u.namespace(), "PersistentVolumeClaim", func(volumes []*unstructured.Unstructured) (bool, error) {
		for _, volume := range volumes {
			if uids[volume.GetUID()] && volume.GetDeletionTimestamp() != nil {
				awaited = volume.GetName() + " to be released: " + strings.Join(volume.GetFinalizers(), ", ")
				u.board.Set("volume", ui.Busy, "waiting for "+awaited)
				return false, nil
			}
		}
		return true, nil
	}, u.serverState)
	if err == nil {
		u.board.Set("volume", ui.Done, "removed")
	}
	return problem.While(awaited, err)
}

// executeRole removes the role. One that cannot be removed is left for the user
// with the reason.
func (u *uninstall) executeRole(ctx context.Context) error {
	u.roleAfterBucket()
	l := u.one(theRole)
	if l == nil || l.fate != fateRemoved || u.waitForBucket(l) {
		return nil
	}
	u.board.Set("role", ui.Busy, u.role.Name)
	_, err := iam.Remove(ctx, u.roles, u.role)
	if err == nil {
		l.done = true
		u.board.Set("role", ui.Done, "removed")
		return nil
	}
	u.board.Set("role", ui.Failed, "not removed")
	return u.couldNot(ctx, l, err)
}

// couldNot leaves a thing to the user, with the reason in the error. A run that
// is over ends, and so does one whose credentials are: nothing else would go
// either.
func (u *uninstall) couldNot(ctx context.Context, l *line, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	if awserr.LoggedOut(err) {
		return err
	}
	var told *problem.Error
	if errors.As(err, &told) {
		why := told.What
		if told.Why != "" {
			why += ": " + told.Why
		}
		l.leave(why, told.Next)
		return nil
	}
	l.leave(err.Error(), "")
	return nil
}
