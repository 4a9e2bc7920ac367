package check

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// workload is a Deployment and how it is.
type workload struct {
	name   string
	object *unstructured.Unstructured // nil: it is not there
	state  health.State
}

// workloads judges both Deployments as install does while it waits. Pods that
// were there before this look have been given all the time there is.
func (a appLook) workloads(ctx context.Context) ([]workload, error) {
	deployments, err := a.Here(ctx, kinds.Deployment.GVR())
	if err != nil {
		return nil, err
	}
	pods, err := a.Here(ctx, kinds.Pod.GVR())
	if err != nil {
		return nil, err
	}
	in := around(a.World)
	in.BucketReady, in.Role = a.bucketReady(ctx), func() string { return identityLook{World: a.World}.mendRole(ctx) }
	all := []workload{{name: frontendName}, {name: microserviceName}}
	for i := range all {
		if deployment := named(deployments, all[i].name); deployment != nil {
			all[i].object = deployment
			all[i].state = health.Deployment(deployment, health.CurrentPods(deployment, pods), in).Settled()
		}
	}
	return all, nil
}

// bucketReady reports whether the bucket's object says that it is there. Who may
// not see it believes so.
func (a appLook) bucketReady(ctx context.Context) bool {
	object, err := a.One(ctx, kinds.Bucket.GVR(), render.BucketName(a.Namespace))
	return err != nil || object != nil && health.Bucket(object, nil, false, health.Around{}).Ready
}

// available wants both Deployments. What keeps their pods from running is left to the
// check of its own where there is one.
func (a appLook) available(ctx context.Context) Finding {
	all, err := a.workloads(ctx)
	if err != nil {
		return unreadable(a.Conn, err, "list deployments and pods in "+a.Namespace, "whether the app runs, and what keeps its pods from running")
	}
	volume := a.volume(ctx).Status
	var found []Finding
	left := ""
	for _, w := range all {
		switch {
		case w.object == nil:
			found = append(found, Refuse("there is no Deployment "+w.name+" in project "+a.Namespace, "somebody deleted it, or an install was interrupted", installIn(a.World)))
		case w.state.Ready:
		case w.state.About == health.Image || w.state.About == health.BucketWait || w.state.About == health.Platform:
			found = append(found, notReady("Deployment "+w.name, w.object, w.state))
		case volume == Failed || volume == Skipped:
			left = "app-volume"
		case w.state.About == health.SCC:
			left = "app-scc"
		default:
			found = append(found, unavailable(w))
		}
	}
	if len(found) == 0 && left != "" {
		return Leave("needs " + left)
	}
	return worstFirst(found)
}

// unavailable adds what no pod can tell.
func unavailable(w workload) Finding {
	finding := notReady("Deployment "+w.name, w.object, w.state)
	if on, _, _ := unstructured.NestedBool(w.object.Object, "spec", "paused"); on {
		finding.Why += "; its rollout is paused, so the pods are still those of before the last change"
		finding.Next = advice.Command("oc rollout resume deployment", w.name, "-n", w.object.GetNamespace())
	}
	return finding
}

// volume: most classes bind only for a pod, so one that is pending with nobody
// to use it is as it should be.
func (a appLook) volume(ctx context.Context) Finding {
	claim, err := a.One(ctx, kinds.PersistentVolumeClaim.GVR(), volumeName)
	if err != nil {
		return unreadable(a.Conn, err, "list persistentvolumeclaims in "+a.Namespace, "whether the app has its volume")
	}
	if claim == nil {
		missing := Refuse("there is no PersistentVolumeClaim "+volumeName, "the frontend mounts it, so its next pod cannot start",
			"to create an empty one: "+installIn(a.World))
		if ofKind(a.objects, "PersistentVolumeClaim") != nil {
			return missing
		}
		return a.frontend(func(deployment *unstructured.Unstructured) Finding {
			if !mounts(deployment, volumeName) {
				return Pass()
			}
			return missing
		})(ctx)
	}
	if health.Volume(claim, nil, health.Around{}).Ready {
		return Pass()
	}
	if a.classMissing(ctx, claim) {
		return Leave("needs storage-class")
	}
	return judgeVolume(claim, a.Events(ctx, claim), around(a.World))
}

// classMissing reports whether a claim has no volume because no class makes one,
// which is told by a check of its own to all who may list classes.
func (a appLook) classMissing(ctx context.Context, claim *unstructured.Unstructured) bool {
	if health.Text(claim.Object, "spec", "volumeName") != "" {
		return false
	}
	classes, err := a.List(ctx, kinds.StorageClass.GVR(), "", "")
	return err == nil && named(classes, health.Text(claim.Object, "spec", "storageClassName")) == nil
}

// judgeVolume: what is reported of a claim that is pending is a finding at once. A
// provisioner that reports nothing has a minute.
func judgeVolume(claim *unstructured.Unstructured, events []health.Event, in health.Around) Finding {
	now := health.Volume(claim, events, in)
	settled := now.Settled()
	if now.Level > health.Info || settled.Level == health.Warn && time.Since(claim.GetCreationTimestamp().Time) > time.Minute {
		return notReady("PersistentVolumeClaim "+claim.GetName(), claim, settled)
	}
	return Pass()
}

func mounts(deployment *unstructured.Unstructured, claim string) bool {
	return slices.ContainsFunc(health.Maps(deployment.Object, "spec", "template", "spec", "volumes"), func(v map[string]any) bool {
		return health.Text(v, "persistentVolumeClaim", "claimName") == claim
	})
}

// What OSToy logs about its bucket, once, when it starts (app.js).
const (
	logFound  = "Bucket accessible, enabling ACK feature."
	logMissed = "ACK feature disabled."
)

// early reads what OSToy said when it looked for its bucket: it does so once.
func (a appLook) early(ctx context.Context) Finding {
	pods, err := a.Here(ctx, kinds.Pod.GVR())
	if err != nil {
		return unreadable(a.Conn, err, "list pods in "+a.Namespace, "what OSToy said when it started")
	}
	deployment, err := a.One(ctx, kinds.Deployment.GVR(), frontendName)
	if err != nil || deployment == nil {
		return Leave("there is no frontend")
	}
	for _, pod := range health.CurrentPods(deployment, pods) {
		log, err := a.LogStart(ctx, pod.GetName(), frontendName)
		switch {
		case apierrors.IsForbidden(err):
			return Unseen("get pods/log in "+a.Namespace, "whether OSToy found its bucket when it started")
		case err != nil:
			return Leave("the log of " + pod.GetName() + " cannot be read: " + plain.Said(err.Error()))
		case strings.Contains(log, logMissed) && !strings.Contains(log, logFound):
			return Refuse("OSToy did not find its bucket when pod "+pod.GetName()+" started",
				"it looks once, says \"not found\" whatever the reason, and keeps its page ACK S3 switched off until it is started anew",
				"once the other checks pass: "+advice.Command("oc delete pod", pod.GetName(), "-n", a.Namespace))
		case !strings.Contains(log, logFound):
			return Leave("the log of " + pod.GetName() + " does not tell (any more)")
		}
	}
	return Pass()
}
